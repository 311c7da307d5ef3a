// The age of the picture, and keys. Rows come from the server as HTML (htmx, hx-sse); nothing here knows what they mean.
"use strict";
(() => {
  const AMBER_S = 6, RED_S = 12;
  const byId = (id) => document.getElementById(id);
  const seconds = () => performance.now() / 1000;

  // How old the picture was when it last came, and when that was by the browser's steady clock.
  let pictureAge = null, heardAt = seconds(), pictureAt = null, awaySince = null;
  const age = byId("age"), stale = byId("stale"), clock = byId("clock"), live = byId("live"), acts = byId("acts");

  function hear(event) {
    const tick = JSON.parse(event.detail.data);
    pictureAge = tick.age;
    pictureAt = tick.at;
    awaySince = tick.away;
    heardAt = seconds();
    show();
  }

  function show() {
    if (clock) {
      const offset = Number(clock.dataset.offset) * 1000;
      clock.textContent = new Date(Date.now() + offset).toISOString().slice(11, 19);
    }
    if (!live && age && age.dataset.from) read();
    if (!live || !age) return;
    const silent = seconds() - heardAt;
    const now = (pictureAge === null ? 0 : pictureAge) + silent;
    const red = now > RED_S, amber = now > AMBER_S;
    if (pictureAge !== null || amber) age.textContent = `${red ? age.dataset.old : age.dataset.live} ${now.toFixed(now < 10 ? 1 : 0)} s`;
    age.className = red ? "live red" : amber ? "live amber" : "live";
    document.body.classList.toggle("stale", red);
    if (pictureAge === null && !red) return;
    const away = awaySince !== null;
    stale.hidden = !red && !away;
    acts.disabled = red || away;
    acts.title = acts.disabled ? stale.dataset.disabled : "";
    const why = red && !away ? stale.dataset.text.replace("{age}", now.toFixed(0)).replace("{at}", pictureAt || "")
      : away ? stale.dataset.away.replace("{at}", awaySince) : "";
    if (why) stale.textContent = `${why} ${stale.dataset.disabled}`;
  }

  // A page that nothing comes to is as old as its reading.
  function read() {
    const minutes = Math.floor((Number(age.dataset.age) + seconds()) / 60);
    if (minutes < 1) return;
    age.textContent = `${age.dataset.from} · ${minutes} ${age.dataset.min}`;
    age.className = "live amber";
  }

  // A list under the pointer does not move: what is newer waits until it is left.
  const waiting = new Map();
  function put(id, html) {
    const old = byId(id);
    if (!old) return;
    const opened = [...old.querySelectorAll("details[open]")].map((each) => each.id);
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(id);
    old.replaceWith(fresh);
    opened.forEach((each) => { const found = each && byId(each); if (found) found.open = true; });
    htmx.process(fresh);
    if (id === "todo") urgent();
  }
  function offer(event) {
    const { id, html } = JSON.parse(event.detail.data);
    const old = byId(id);
    if (!old) return;
    if (old.matches(":hover") || old.contains(document.activeElement)) {
      waiting.set(id, html);
      wait(old, html);
    } else put(id, html);
  }
  // How many rows wait to be shown; the button shows them at once.
  const ROWS = "details[id], tr[id]";
  function wait(old, html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(old.id);
    const count = [...fresh.querySelectorAll(ROWS)].filter((row) => !old.querySelector(`[id="${CSS.escape(row.id)}"]`)).length;
    const button = old.querySelector("button.new");
    button.textContent = count ? button.dataset.new.replace("#", count) : button.dataset.changed;
    button.hidden = false;
  }
  document.addEventListener("click", (event) => {
    const list = event.target.matches("button.new") && event.target.closest("section");
    if (!list || !waiting.has(list.id)) return;
    const html = waiting.get(list.id);
    waiting.delete(list.id);
    put(list.id, html);
  });
  function release() {
    for (const [id, html] of waiting) {
      const old = byId(id);
      if (old && (old.matches(":hover") || old.contains(document.activeElement))) continue;
      waiting.delete(id);
      put(id, html);
    }
  }

  // A dot has room for its sign alone: what it is comes when it is pointed at. Its link leads to the same.
  async function hover(event) {
    const dot = event.target.closest(".dots .s");
    if (!dot || dot.dataset.asked > seconds() - 10) return;
    dot.dataset.asked = seconds();
    const answer = await fetch(dot.getAttribute("href").replace("/stations/", "/hover/"));
    if (answer.ok) dot.title = await answer.text();
  }

  if (live) {
    document.addEventListener("pointerover", hover, { passive: true });
    live.addEventListener("tick", hear);
    live.addEventListener("list", offer);
    live.addEventListener("anew", () => location.reload());
    document.addEventListener("pointermove", release, { passive: true });
    document.addEventListener("focusout", () => setTimeout(release));
    addEventListener("pageshow", () => { heardAt = seconds(); });
  }
  setInterval(show, 500);

  // Keys (§9): / search, g and a letter, j k Enter rows, ? help.
  let going = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "k") { event.preventDefault(); palette(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { document.activeElement.blur(); return; }
    if (event.target.closest("input, textarea, select")) return;
    if (going) {
      going = false;
      const page = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (page) page.click();
      return;
    }
    if (event.key === "/") { event.preventDefault(); byId("search").focus(); }
    else if (event.key === "g") going = true;
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    else if (event.key === "s") press("[data-key=s]");
    else if (event.key === "t") press("[data-key=t]");
    else if (event.key === "a") actions();
    else if (event.key === "?") byId("help").showModal();
  });
  // Commands are words of the search; the page that comes asks once more.
  const WORDS = ["reset", "reset-hard", "unlock", "disable", "enable", "clear-cache"];
  function palette() {
    const list = byId("command-words"), here = location.pathname.match(/^\/stations\/([^/]+)$/);
    list.replaceChildren(...WORDS.map((word) => new Option(`${word} ${here ? decodeURIComponent(here[1]) : ""}`)));
    byId("search").focus();
    byId("search").select();
  }
  function actions() {
    const row = document.activeElement.closest("tr, li.item");
    const found = (row || byId("main")).querySelector(".actions button, .actions a, .acts button, .acts a, form[method=post] button");
    if (found) found.focus();
  }
  if (byId("help")) byId("help-open").addEventListener("click", () => byId("help").showModal());

  // Off until somebody wants it: a sound, and a mark in the title, for a new urgent row.
  const sound = byId("sound"), title = document.title;
  let urgentBefore = null, audio = null;
  function urgent() {
    const todo = byId("todo");
    if (!todo || !sound) return;
    const on = localStorage.getItem("sound") === "on", now = todo.querySelectorAll(".item.urgent").length;
    sound.setAttribute("aria-pressed", String(on));
    document.title = on && now ? `(${now}!) ${title}` : title;
    if (on && urgentBefore !== null && now > urgentBefore && audio) beep();
    urgentBefore = now;
  }
  function beep() {
    const tone = audio.createOscillator(), gain = audio.createGain();
    tone.connect(gain).connect(audio.destination);
    gain.gain.value = 0.1;
    tone.frequency.value = 660;
    tone.start();
    tone.stop(audio.currentTime + 0.25);
  }
  if (sound && live) {
    sound.hidden = false;
    sound.addEventListener("click", () => {
      audio = audio || new AudioContext();
      localStorage.setItem("sound", localStorage.getItem("sound") === "on" ? "off" : "on");
      urgent();
    });
    urgent();
  }
  function rows() { return [...document.querySelectorAll("main tbody tr, #todo li.item")]; }
  function step(by) {
    const all = rows(), here = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(all.length - 1, Math.max(0, here + by))];
    const link = next && next.querySelector("a, button, summary");
    if (link) link.focus();
  }
  function press(selector) {
    const row = document.activeElement.closest("tr, li.item");
    const found = (row || document).querySelector(selector);
    if (found) found.click();
  }
})();
