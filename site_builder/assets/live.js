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

function explorer(root, sliders, draw) { // draw(values) → [shapes, sentence]
  const picture = svg("svg", { viewBox: "0 0 640 240", role: "img" }), told = document.createElement("output");
  const inputs = sliders.map(([name, min, max, value]) => {
    const label = document.createElement("label"), input = document.createElement("input"), number = document.createElement("span");
    Object.assign(input, { type: "range", min, max, step: 0.1, value });
    label.append(name, input, number); root.append(label);
    return [input, number];
  });
  const move = () => {
    const values = inputs.map(([input]) => Number(input.value));
    inputs.forEach(([, number], i) => { number.textContent = values[i].toFixed(1).replace("-", "−"); });
    const [shapes, sentence] = draw(values);
    picture.replaceChildren(...shapes); picture.setAttribute("aria-label", sentence); told.textContent = sentence;
  };
  inputs.forEach(([input]) => { input.oninput = move; });
  root.append(picture, told); move();
}

const curve = (f, className) => {
  const points = Array.from({ length: 301 }, (_, i) => { const z = -6 + i / 25; return `${20 + i},${215 - 85 * Math.min(2.4, f(z))}`; });
  return svg("polyline", { points: points.join(" "), class: className });
};
const bar = (i, name, nats) => {
  const x = 390 + 62 * i, zero = 170, height = 17 * Math.min(9, Math.abs(nats));
  return [svg("rect", { x, width: 36, y: nats > 0 ? zero - height : zero, height, class: i < 3 ? "part" : "whole" }), svg("text", { x: x + 18, y: 225, "text-anchor": "middle" }, name)];
};
function kl(root) {
  explorer(root, [["μ", -3, 3, 1], ["log σ²", -4, 2, -2]], ([mu, logvar]) => {
    const parts = live.partsOfKl(mu, logvar), whole = parts.reduce((a, b) => a + b);
    const bars = [...parts, whole].flatMap((nats, i) => bar(i, ["½ μ²", "½(σ²−1)", "−½ log σ²", "KL"][i], nats));
    const axes = [svg("line", { x1: 20, x2: 320, y1: 215, y2: 215 }), svg("line", { x1: 380, x2: 620, y1: 170, y2: 170 })];
    const names = [svg("text", { x: 20, y: 20 }, "q, and dashed the prior N(0, 1)"), svg("text", { x: 380, y: 20 }, "nats")];
    const curves = [curve(z => live.density(z, 0, 0), "prior"), curve(z => live.density(z, mu, logvar), "q")];
    return [[...axes, ...curves, ...bars, ...names], `KL = ${parts.map(signed).join(" + ")} = ${whole.toFixed(2)} nats`];
  });
}
for (const root of document.querySelectorAll("[data-live=kl]")) kl(root);
