"use strict"; // The numbers of the live explorers. tests/browser/test_live.py holds them against Python's.
const range = (n, f) => Array.from({ length: n }, (_, i) => f(i)), sum = values => values.reduce((a, b) => a + b, 0);
const GRID = range(721, i => -9 + i / 40); // of z; the pictures show −5 to 5
const logNormal = (z, mu, sigma) => -0.5 * ((z - mu) / sigma) ** 2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI);
const logAdd = (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
const integral = f => sum(GRID.map((z, i) => f(z, i) * (i % (GRID.length - 1) ? 1 : 0.5))) / 40; // trapezoids
const RING = { "at the side": [1.2, -0.6], "at the top": [0, 1.45] }; // notebook 03's two x
const TAU = [0.4, 0.3, 0.3], CENTRES = [[-1.5, -1], [1.5, -1], [0, 1.5]]; // notebook 02's mixture
const SHAPES = [[0.25, 0.15, 0.16], [0.09, 0, 0.36], [0.49, -0.1, 0.06]]; // var 1, covariance, var 2
const live = { // a log density takes z
  partsOfKl: (mu, logvar) => [0.5 * mu ** 2, 0.5 * (Math.exp(logvar) - 1), -0.5 * logvar], // nats, from N(0, 1)
  logJoint: x => z => logNormal(z, 0, 1) + logNormal(x[0], 1.5 * Math.sin(1.2 * z), 0.3) + logNormal(x[1], -1.5 * Math.cos(1.2 * z), 0.3),
  logTarget: z => logAdd(Math.log(0.6) + logNormal(z, -2.5, 0.6), Math.log(0.4) + logNormal(z, 2, 0.7)),
  onGrid: f => { const values = GRID.map(f); return (_, i) => values[i]; }, // computed once, for integrals alone
  elbo: (logJoint, mu, sigma) => integral((z, i) => { const q = logNormal(z, mu, sigma); return Math.exp(q) * (logJoint(z, i) - q); }),
  evidence: logJoint => Math.log(integral((z, i) => Math.exp(logJoint(z, i)))),
  forwardKl: (logP, mu, sigma) => integral((z, i) => Math.exp(logP(z, i)) * (logP(z, i) - logNormal(z, mu, sigma))),
  reverseKl: (logP, mu, sigma) => -live.elbo(logP, mu, sigma),
  decoder: model => { live.codes = model.codes; live.decode = decoderOf(model); },
  interpolate: (a, b, t, onSphere) => { // as spherical and straight of notebook 05
    const dot = (u, v) => sum(u.map((_, k) => u[k] * v[k])), omega = Math.acos(Math.min(1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))));
    const share = s => onSphere && omega > 1e-6 ? Math.sin(s * omega) / Math.sin(omega) : s;
    return a.map((_, k) => share(1 - t) * a[k] + share(t) * b[k]);
  },
  shares: ([x, y], sigma) => { // of the three clouds in a noisy point, by Bayes' rule
    const logs = TAU.map((tau, k) => {
      const [a, b, c] = noisy(k, sigma), [u, v] = [x - CENTRES[k][0], y - CENTRES[k][1]], area = a * c - b * b;
      return Math.log(tau) - 0.5 * Math.log(area) - 0.5 * (c * u * u - 2 * b * u * v + a * v * v) / area;
    }), top = Math.max(...logs), parts = logs.map(l => Math.exp(l - top));
    return parts.map(part => part / sum(parts));
  },
  denoise: (point, sigma) => { // E[x | point]: the perfect denoiser, x̃ + σ² ∇ log p_σ(x̃)
    const shares = live.shares(point, sigma), means = CENTRES.map((centre, k) => {
      const [a, b, c] = noisy(k, sigma), [u, v] = [point[0] - centre[0], point[1] - centre[1]], area = a * c - b * b;
      return [point[0] - sigma ** 2 * (c * u - b * v) / area, point[1] - sigma ** 2 * (a * v - b * u) / area];
    });
    return [0, 1].map(i => sum(means.map((mean, k) => shares[k] * mean[i])));
  },
  levels: steps => range(steps + 1, k => k === steps ? 0 : 5 * (0.02 / 5) ** (k / Math.max(1, steps - 1))), // σ from 5 to 0
  step: (point, from, to, fresh, eps) => { // denoise, then put noise of the next level back: what there was, or fresh
    const clean = live.denoise(point, from), drawn = fresh * to * Math.sqrt(1 - (to / from) ** 2), kept = Math.sqrt(to ** 2 - drawn ** 2) / from;
    return point.map((x, i) => clean[i] + kept * (x - clean[i]) + drawn * eps[i]);
  },
};
globalThis.live = live;
const noisy = (k, sigma) => [SHAPES[k][0] + sigma ** 2, SHAPES[k][1], SHAPES[k][2] + sigma ** 2];

function decoderOf({ sizes, packed }) { // each layer: its rows' worth, biases (float32), weights in 8 bits
  const { buffer } = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
  let at = 0;
  const layers = sizes.slice(1).map((out, l) => {
    const into = sizes[l], [worth, bias] = [0, 1].map(i => new Float32Array(buffer, at + 4 * out * i, out));
    const weights = new Int8Array(buffer, at + 8 * out, out * into);
    at += 8 * out + out * into;
    return x => Float64Array.from(bias, (b, row) => { let s = 0; for (let i = 0; i < into; i++) s += weights[row * into + i] * x[i]; return b + worth[row] * s; });
  });
  return z => layers.reduce((x, layer, l) => layer(l ? x.map(h => Math.max(0, h)) : x), z).map(logit => 1 / (1 + Math.exp(-logit)));
}

function normals(seed) { // the same draws on every machine: mulberry32, Box and Muller
  const uniform = () => { seed = (seed + 0x6D2B79F5) | 0; let t = Math.imul(seed ^ (seed >>> 15), 1 | seed); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296; };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
