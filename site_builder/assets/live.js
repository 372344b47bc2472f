"use strict"; // Explorers without a kernel. Each: sliders, a picture in SVG, a sentence; keyboard and screen reader included.
const live = {
  partsOfKl: (mu, logvar) => [0.5 * mu ** 2, 0.5 * (Math.exp(logvar) - 1), -0.5 * logvar], // nats, from N(0, 1)
  density: (z, mu, logvar) => Math.exp(-0.5 * (z - mu) ** 2 / Math.exp(logvar)) / Math.sqrt(2 * Math.PI * Math.exp(logvar)),
};
globalThis.live = live;

const signed = value => value.toFixed(2).replace(/^-(.*)$/, "(−$1)");
const svg = (tag, attributes, text = "") => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
};

function explorer(root, sliders, draw) { // draw(values) → [the shapes of each panel, sentence]
  const picture = document.createElement("div"), told = document.createElement("output");
  picture.setAttribute("role", "img");
  const inputs = sliders.map(([name, min, max, value]) => {
    const [label, said, input, number] = ["label", "span", "input", "span"].map(tag => document.createElement(tag));
    Object.assign(input, { type: "range", min, max, step: 0.1, value });
    said.textContent = name; number.ariaHidden = "true";
    label.append(said, input, number); root.append(label);
    return [input, number];
  });
  const move = () => {
    const values = inputs.map(([input]) => Number(input.value));
    inputs.forEach(([, number], i) => { number.textContent = values[i].toFixed(1).replace("-", "−"); });
    const [panels, sentence] = draw(values);
    picture.replaceChildren(...panels.map(shapes => { const panel = svg("svg", { viewBox: "0 0 320 210" }); panel.append(...shapes); return panel; }));
    picture.setAttribute("aria-label", sentence); told.textContent = sentence;
  };
  inputs.forEach(([input]) => { input.oninput = move; });
  root.append(picture, told); root.classList.add("is-live"); move();
}

const curve = (f, className) => {
  const points = Array.from({ length: 301 }, (_, i) => { const z = -6 + i / 25; return `${10 + i},${200 - 60 * f(z)}`; });
  return svg("polyline", { points: points.join(" "), class: className });
};
const bar = (i, name, nats) => {
  const x = 22 + 78 * i, zero = 165, height = 19 * Math.abs(nats);
  return [svg("rect", { x, width: 42, y: nats > 0 ? zero - height : zero, height, class: i < 3 ? "part" : "whole" }), svg("text", { x: x + 21, y: 205, "text-anchor": "middle" }, name), svg("text", { x: x + 21, y: zero - 5 - Math.max(0, Math.sign(nats) * height), "text-anchor": "middle" }, nats.toFixed(2).replace("-", "−"))];
};
function kl(root) {
  explorer(root, [["μ", -3, 3, 1], ["log σ²", -4, 2, -2]], ([mu, logvar]) => {
    const parts = live.partsOfKl(mu, logvar), whole = parts.reduce((a, b) => a + b);
    const curves = [curve(z => live.density(z, 0, 0), "prior"), curve(z => live.density(z, mu, logvar), "q")];
    const left = [svg("line", { x1: 10, x2: 310, y1: 200, y2: 200 }), ...curves, svg("text", { x: 10, y: 16 }, "q; dashed, the prior N(0, 1)")];
    const bars = [...parts, whole].flatMap((nats, i) => bar(i, ["½ μ²", "½ (σ² − 1)", "−½ log σ²", "KL"][i], nats));
    const right = [svg("line", { x1: 10, x2: 310, y1: 165, y2: 165 }), ...bars, svg("text", { x: 10, y: 16 }, "nats")];
    return [[left, right], `KL = ${parts.map(signed).join(" + ")} = ${whole.toFixed(2)} nats`];
  });
}
for (const root of document.querySelectorAll("[data-live=kl]")) kl(root);
