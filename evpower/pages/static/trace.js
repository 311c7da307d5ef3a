// Frames as they pass: the newest on top, at most 500; a pause holds them back and loses none.
"use strict";
(() => {
  const MOST = 500;
  const list = document.getElementById("trace");
  if (!list || !list.dataset.stream) return;
  const state = document.getElementById("trace-state"), pause = document.getElementById("trace-pause");
  // A quiet station's stream says so every 15 s.
  const SILENT_MS = 40000;
  let held = [], paused = false, heardAt = performance.now();
  const show = (html) => {
    list.insertAdjacentHTML("afterbegin", html);
    while (list.children.length > MOST) list.lastElementChild.remove();
  };
  const say = (name) => { state.textContent = state.dataset[name].replace("{count}", held.length); state.className = name === "live" ? "live" : "live amber"; };
  const source = new EventSource(list.dataset.stream);
  source.onopen = () => { heardAt = performance.now(); say(paused ? "paused" : "live"); };
  source.addEventListener("alive", () => { heardAt = performance.now(); });
  setInterval(() => { if (performance.now() - heardAt > SILENT_MS) say("lost"); }, 5000);
  source.onerror = () => say("lost");
  source.onmessage = (event) => {
    heardAt = performance.now();
    if (paused) { held.push(event.data); if (held.length > MOST) held.shift(); say("paused"); } else show(event.data);
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", paused);
    if (!paused) { held.forEach(show); held = []; }
    say(paused ? "paused" : "live");
  });
})();
