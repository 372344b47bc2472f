"use strict"; // Explorers without a kernel. Each: controls, a picture, a sentence; keyboard and screen reader included.

const make = (tag, properties, ...children) => { const element = Object.assign(document.createElement(tag), properties); element.append(...children); return element; };
const svg = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const said = (value, digits = 2) => value.toFixed(digits).replace("-", "−"), signed = value => said(value).replace(/^−(.*)$/, "(−$1)");

function explorer(root, controls, draw, buttons = {}) { // controls: [name, options] or [name, min, max, step, start]
  const inputs = controls.map(([name, min, max, step, value]) => {
    const input = max === undefined ? make("select", {}, ...min.map(option => new Option(option))) : make("input", { type: "range", min, max, step });
    if (value !== undefined) input.value = value;
    const number = make("span", { ariaHidden: "true" });
    root.append(make("label", {}, make("span", { textContent: name }), input, number));
    return { input, show: () => { if (step) number.textContent = said(Number(input.value), String(step).split(".")[1]?.length || 0); } };
  });
  const picture = make("div", {}), told = make("output", {});
  picture.setAttribute("role", "img");
  const move = () => {
    inputs.forEach(({ show }) => show());
    const [shapes, sentence] = draw(inputs.map(({ input }) => input.options ? input.selectedIndex : Number(input.value)));
    picture.replaceChildren(...shapes); picture.setAttribute("aria-label", sentence); told.textContent = sentence;
  };
  inputs.forEach(({ input }) => { input.oninput = move; });
  const row = Object.entries(buttons).map(([textContent, place]) => make("button", { textContent, onclick: () => { place().forEach((value, i) => { inputs[i].input.value = value; }); move(); } }));
  root.append(picture, told, ...(row.length ? [make("p", {}, ...row)] : [])); root.classList.add("is-live"); move();
}

function panel([left, right], [low, high], title, shapes, below = []) { // shapes(across, up) → SVG, cut off at the frame
  const across = x => 30 + 280 * (x - left) / (right - left), up = y => Math.max(10, Math.min(210, 196 - 172 * (y - low) / (high - low)));
  const tick = (x, y, text, anchor) => svg("text", { x, y, "text-anchor": anchor }, String(text).replace("-", "−"));
  const frame = svg("path", { d: "M30 24V196H310", class: "axis" });
  const ticks = [tick(30, 212, left, "middle"), tick(310, 212, right, "middle"), tick(26, 198, low, "end"), tick(26, 30, high, "end")];
  const inside = svg("svg", { x: 30, y: 24, width: 280, height: 172, viewBox: "30 24 280 172" }, ...shapes(across, up));
  return svg("svg", { viewBox: "0 0 320 220" }, frame, ...ticks, tick(34, 14, title, "start"), inside, ...below);
}
const line = (points, name) => svg("polyline", { points: points.map(point => point.map(v => v.toFixed(1)).join()).join(" "), class: name });
const curve = (across, up, f, name, n = 200) => line(range(n + 1, i => -5 + 10 * i / n).map(z => [across(z), up(f(z))]), name);
const dot = (x, y, name = "here") => svg("circle", { cx: x, cy: y, r: 5, class: name });

// The explorers.
const explorers = {
  kl(root) {
    explorer(root, [["μ", -3, 3, 0.1, 1], ["log σ²", -4, 2, 0.1, -2]], ([mu, logvar]) => {
      const parts = live.partsOfKl(mu, logvar), whole = sum(parts);
      const left = panel([-5, 5], [0, 3], "q; dashed, the prior N(0, 1)", (across, up) => [
        curve(across, up, z => Math.exp(logNormal(z, 0, 1)), "fixed dashed"), curve(across, up, z => Math.exp(logNormal(z, mu, Math.exp(logvar / 2))), "q")]);
      const bar = (up, i, nats) => [svg("rect", { x: 44 + 68 * i, width: 40, y: up(Math.max(0, nats)), height: Math.abs(up(nats) - up(0)), class: i < 3 ? "part" : "whole" }),
        svg("text", { x: 64 + 68 * i, y: up(Math.max(0, nats)) - 4, "text-anchor": "middle" }, said(nats))];
      const names = ["½ μ²", "½ (σ² − 1)", "−½ log σ²", "KL"].map((name, i) => svg("text", { x: 64 + 68 * i, y: 211, "text-anchor": "middle" }, name));
      const right = panel(["", ""], [-1, 9], "nats", (_, up) => [...parts, whole].flatMap((nats, i) => bar(up, i, nats)), names);
      return [[left, right], `KL = ${parts.map(signed).join(" + ")} = ${said(whole)} nats`];
    });
  },
  elbo(root) {
    const places = Object.keys(RING);
    explorer(root, [["x", places], ["μ", -5, 5, 0.1, 0.6], ["σ", 0.05, 1.5, 0.01, 0.5]], ([at, mu, sigma]) => {
      const logJoint = live.logJoint(RING[places[at]]), known = live.onGrid(logJoint), top = live.evidence(known), bound = live.elbo(known, mu, sigma);
      const left = panel([-5, 5], [0, 3], "q; dashed, the posterior p(z|x)", (across, up) => [
        curve(across, up, z => Math.exp(logJoint(z) - top), "fixed dashed"), curve(across, up, z => Math.exp(logNormal(z, mu, sigma)), "q")]);
      const right = panel([-5, 5], [Math.round(top - 20), Math.round(top + 2)], "ELBO over μ; dashed, log p(x)", (across, up) => [
        curve(across, up, () => top, "fixed dashed"), curve(across, up, m => live.elbo(known, m, sigma), "q", 50), dot(across(mu), up(bound))]);
      return [[left, right], `log p(x) = ${said(top)} = ELBO ${said(bound)} + KL(q‖p(z|x)) ${said(top - bound)}`];
    });
  },
  directions(root) {
    const known = live.onGrid(live.logTarget);
    explorer(root, [["μ", -5, 5, 0.1, -1], ["σ", 0.05, 1.5, 0.01, 1]], ([mu, sigma]) => {
      const forward = m => live.forwardKl(known, m, sigma), reverse = m => live.reverseKl(known, m, sigma);
      const left = panel([-5, 5], [0, 1], "q; dashed, p(z)", (across, up) => [
        curve(across, up, z => Math.exp(live.logTarget(z)), "fixed dashed"), curve(across, up, z => Math.exp(logNormal(z, mu, sigma)), "q")]);
      const right = panel([-5, 5], [0, 6], "nats over μ: reverse; dotted, forward", (across, up) => [
        curve(across, up, forward, "other dotted", 50), curve(across, up, reverse, "q", 50), dot(across(mu), up(forward(mu)), "part"), dot(across(mu), up(reverse(mu)))]);
      return [[left, right], `Forward KL(p‖q) = ${said(forward(mu))}, reverse KL(q‖p) = ${said(reverse(mu))} nats`];
    });
  },
  sliders: root => withDecoder(() => {
    const start = live.codes[7], draw = normals(Date.now());
    explorer(root, start.map((value, k) => [`z ${k + 1}`, -3, 3, 0.1, value]), z => [[ink(live.decode(z))], `The image decoded from z = (${z.map(v => said(v, 1)).join(", ")})`],
      { "random z": () => start.map(draw), "start again": () => start });
  }),
  between: root => withDecoder(() => {
    const digits = live.codes.map((_, k) => `a ${k}`), ways = ["along the sphere", "straight"];
    explorer(root, [["from", digits, , , "a 7"], ["to", digits, , , "a 3"], ["way", ways], ["t", 0, 1, 0.05, 0.5]], ([a, b, way, t]) => {
      const code = s => live.interpolate(live.codes[a], live.codes[b], s, way === 0), z = code(t);
      return [[t, 0, 1].map(s => ink(live.decode(code(s)))), `From ${digits[a]} to ${digits[b]}, ${ways[way]}: t = ${said(t)}, ‖z‖ = ${said(Math.hypot(...z))}`];
    });
  }),
  denoising(root) {
    const draw = normals(1), pairs = () => range(300, () => [draw(), draw()]), starts = pairs().map(point => point.map(v => 5 * v)), noise = range(64, pairs);
    let key, ways;
    const walk = (sigmas, fresh) => { // each point's places, at every level
      if (key === (key = `${sigmas.length} ${fresh}`)) return ways;
      ways = starts.map((point, i) => [point, ...sigmas.slice(1).map((sigma, k) => (point = live.step(point, sigmas[k], sigma, fresh, noise[k][i])))]);
      return ways;
    };
    explorer(root, [["step", 0, 64, 1, 0], ["of steps", 1, 64, 1, 32], ["fresh noise", 0, 1, 0.1, 0]], ([wanted, steps, fresh]) => {
      const sigmas = live.levels(steps), done = Math.min(wanted, steps), sigma = sigmas[done];
      const ways = walk(sigmas, fresh).map(way => way.slice(0, done + 1));
      const points = ways.map(way => way[done]), tally = TAU.map((_, k) => points.filter(point => { const s = live.shares(point, sigma); return s[k] === Math.max(...s); }).length);
      const reach = sigma > 1 ? 9 : 3, whole = [-reach, reach], inside = point => point.every(v => Math.abs(v) <= reach);
      const marks = (across, up, list) => svg("path", { d: list.filter(inside).map(([x, y]) => `M${across(x).toFixed(1)} ${up(y).toFixed(1)}h0`).join(""), class: "points" });
      const left = panel(whole, whole, "300 points; the ways of eight", (across, up) => [...ways.slice(0, 8).map(way => line(way.filter(inside).map(([x, y]) => [across(x), up(y)]), "fixed")), marks(across, up, points)]);
      const places = range(121, i => [reach * ((i % 11) / 5 - 1), reach * (Math.floor(i / 11) / 5 - 1)]).map(place => [place, live.denoise(place, sigma)]);
      const right = panel(whole, whole, "a third of what is denoised away: E[x|x̃] − x̃", (across, up) => places.map(([from, to]) => {
        const end = from.map((v, i) => v + (to[i] - v) / 3); return svg("path", { d: `M${across(from[0])} ${up(from[1])}L${across(end[0])} ${up(end[1])}`, class: "q thin" }); }).concat(marks(across, up, places.map(([from]) => from))));
      return [[left, right], `Step ${done} of ${steps}, σ = ${said(sigma)}: ${tally.map(n => `${Math.round(n / 3)} %`).join(", ")} of the points go to the three clouds, which hold 40 %, 30 %, 30 %`];
    });
  },
};

function ink(image) { // dark ink on white
  const canvas = make("canvas", { width: 28, height: 28 }), context = canvas.getContext("2d"), pixels = context.createImageData(28, 28);
  image.forEach((share, p) => { const v = Math.round(255 - 255 * share); pixels.data.set([v, v, v, 255], 4 * p); });
  context.putImageData(pixels, 0, 0);
  return canvas;
}
function withDecoder(then) { // the weights come as a script, which works from a folder too
  if (live.decode) return then();
  const script = document.querySelector("#decoder") || document.head.appendChild(make("script", { id: "decoder", src: "figures/decoder.js" }));
  script.addEventListener("load", then);
}
for (const root of document.querySelectorAll("[data-live]")) explorers[root.dataset.live](root);
