"use strict"; // Theme, menu, copying, folds and search; every page reads well without it.
const find = selector => document.querySelector(selector);
const themeButton = find("#theme"), menuButton = find("#menu"), input = find("#search input"), found = find("#found");

const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const showTheme = () => themeButton.setAttribute("aria-pressed", isDark());
themeButton.onclick = () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* a browser that keeps nothing */ }
  showTheme();
};
showTheme();

const openMenu = open => { find("#contents").classList.toggle("open", open); menuButton.setAttribute("aria-expanded", open); };
menuButton.onclick = () => openMenu(menuButton.getAttribute("aria-expanded") === "false");
find("#contents").onclick = event => event.target.closest("a") && openMenu(false);

for (const code of document.querySelectorAll(".highlight")) {
  const button = Object.assign(document.createElement("button"), { className: "copy", textContent: "Copy" });
  button.onclick = async () => {
    await navigator.clipboard.writeText(code.querySelector("pre").textContent);
    button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  code.append(button);
}

const wide = () => document.querySelectorAll("pre, .wide, .display").forEach(box => box.toggleAttribute("tabindex", false) || (box.scrollWidth > box.clientWidth && (box.tabIndex = 0)));
addEventListener("resize", wide); document.addEventListener("toggle", wide, true); wide();

const unfold = () => { let at = document.getElementById(decodeURIComponent(location.hash.slice(1))); const aim = at; for (; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true; aim?.scrollIntoView(); };
addEventListener("hashchange", unfold); if (location.hash) unfold();

// Search: the sections' text, folded (no case, no marks above or below letters); every word must occur, a heading counts most.
const fold = text => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
let sections;
globalThis.courseSections = all => { sections = all.map(([link, page, heading, text]) => ({ link, page, heading, text, head: fold(page + " " + heading), body: fold(text) })); search(); };
const count = (text, word) => text.split(word).length - 1;
const score = (section, words) => {
  const each = words.map(word => 20 * count(section.head, word) + Math.min(9, count(section.body, word)));
  return each.includes(0) ? 0 : each.reduce((a, b) => a + b);
};
const around = ({ text, body }, query, words) => { // the words where they stand together, else the first one
  const letters = [...text.normalize("NFC")], at = Math.max(0, body.indexOf(body.includes(query) ? query : words[0]));
  const from = Math.max(0, at - 60);
  return (from ? "…" : "") + letters.slice(from, at + 120).join("") + "…";
};
function search() {
  const query = fold(input.value.trim()), words = query.split(/\s+/).filter(Boolean);
  found.hidden = !words.length;
  if (!words.length || !sections) return;
  const best = sections.map(section => [score(section, words), section]).filter(([points]) => points).sort((a, b) => b[0] - a[0]).slice(0, 12);
  found.replaceChildren(...best.map(([, section]) => {
    const link = Object.assign(document.createElement("a"), { href: section.link });
    const part = (tag, text) => link.append(Object.assign(document.createElement(tag), { textContent: text }));
    part("b", section.heading); part("small", section.page); part("span", around(section, query, words));
    return link;
  }));
  if (!best.length) found.append(Object.assign(document.createElement("p"), { textContent: "Nothing found. Try one word, or part of it." }));
}
input.onfocus = () => { if (!find("#index")) document.head.append(Object.assign(document.createElement("script"), { id: "index", src: "assets/index.js" })); };
input.oninput = search;
find("#search").onsubmit = event => { event.preventDefault(); found.querySelector("a")?.click(); };
find("#search").onkeydown = event => {
  const stops = [input, ...found.querySelectorAll("a")], at = stops.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
  if (next !== undefined && stops[next]) { event.preventDefault(); stops[next].focus(); }
};
found.onclick = event => { if (event.target.closest("a")) found.hidden = true; };
addEventListener("keydown", event => {
  if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) { event.preventDefault(); input.focus(); }
  if (event.key === "Escape") { found.hidden = true; if (menuButton.getAttribute("aria-expanded") === "true") { openMenu(false); menuButton.focus(); } }
});
addEventListener("click", event => { if (!event.target.closest("#search")) found.hidden = true; });
