// Moves and zooms the map of /map. The page works without: every step is a link. Here the picture follows at once, and the page is asked
// for the circles and the table that belong to the new one; nothing is counted or laid out in the browser.

const CLOSEST = 24;
const DETAIL = 1.7; // the finer outlines from so close on
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const map = document.getElementById("map");
const frame = map?.querySelector(".map-frame");
const svg = frame?.querySelector("svg");
if (svg) start();

function start() {
  const whole = { x: 0, y: 0, width: 960, height: 960 / Number(map.dataset.shape) };
  let box = boxOf(svg);
  let drawn = { ...box }; // what the circles were laid out for
  let shown = location.search; // the address that the circles and the table are of
  let busy = null; // the request under way
  let waiting = 0;
  let running = 0;
  let goal = null; // where the glide under way leads: the next step is one from there, however soon it comes
  const tip = Object.assign(document.createElement("div"), { className: "map-tip", hidden: true });
  tip.setAttribute("aria-hidden", "true"); // the link says the same
  frame.append(tip);
  refine();
  if (svg.clientWidth < 700) load(); // the circles were measured for a large screen
  else svg.classList.add("measured");

  // ── Moving the picture ────────────────────────────────────────────────────────────────────────────────────────────

  function show(next) {
    box = next;
    svg.setAttribute("viewBox", [box.x, box.y, box.width, box.height].map((n) => n.toFixed(2)).join(" "));
    const grown = box.width / drawn.width; // until the new circles are there, the old ones keep their size on the screen
    for (const size of svg.querySelectorAll(".bubble .size")) size.setAttribute("transform", `scale(${grown.toFixed(4)})`);
    frame.classList.toggle("close", close() > 1.01);
    tip.hidden = true;
  }

  function close(at = box) {
    return whole.width / at.width;
  }

  /** The box of that centre and closeness, kept inside the picture. */
  function around(x, y, closeness) {
    const near = Math.min(Math.max(closeness, 1), CLOSEST);
    const width = whole.width / near;
    const height = whole.height / near;
    return { x: clamp(x - width / 2, 0, whole.width - width), y: clamp(y - height / 2, 0, whole.height - height), width, height };
  }

  function stop() {
    cancelAnimationFrame(running);
    goal = null;
  }

  function glide(target) {
    stop();
    goal = target;
    const from = { ...box };
    const began = performance.now();
    const length = calm.matches ? 0 : 260;
    const step = (now) => {
      const t = length ? clamp((now - began) / length, 0, 1) : 1; // a frame may have begun before the glide
      const eased = 1 - (1 - t) ** 3;
      show(Object.fromEntries(Object.keys(target).map((key) => [key, from[key] + (target[key] - from[key]) * eased])));
      if (t < 1) running = requestAnimationFrame(step);
      else goal = null, settle();
    };
    running = requestAnimationFrame(step);
  }

  function move(step) {
    const from = goal ?? box;
    const [x, y, near] = [from.x + from.width / 2, from.y + from.height / 2, close(from)];
    const far = 0.4;
    const to = {
      in: [x, y, near * 2], out: [x, y, near / 2], all: [480, 400, 1],
      west: [x - far * from.width, y, near], east: [x + far * from.width, y, near],
      north: [x, y - far * from.height, near], south: [x, y + far * from.height, near],
    }[step];
    glide(around(...to));
  }

  /** Zooms so that what is under a point of the screen stays there. */
  function zoomAt(event, factor) {
    const at = place(event);
    const near = Math.min(Math.max(close() * factor, 1), CLOSEST);
    const part = close() / near;
    const next = around(at.x + (box.x + box.width / 2 - at.x) * part, at.y + (box.y + box.height / 2 - at.y) * part, near);
    stop();
    show(next);
    settle();
  }

  function place({ clientX, clientY }) {
    const screen = svg.getBoundingClientRect();
    return { x: box.x + ((clientX - screen.left) / screen.width) * box.width, y: box.y + ((clientY - screen.top) / screen.height) * box.height };
  }

  // ── Asking for what belongs to it ─────────────────────────────────────────────────────────────────────────────────

  function settle() {
    clearTimeout(waiting);
    waiting = setTimeout(load, 180);
  }

  function address() {
    const url = new URL(location.href);
    const near = close();
    url.searchParams.delete("at");
    url.searchParams.delete("screen");
    if (near < 1.02) url.searchParams.delete("view");
    else url.searchParams.set("view", `${(box.x + box.width / 2).toFixed(1)},${(box.y + box.height / 2).toFixed(1)},${near.toFixed(2)}`);
    return url;
  }

  /** What belongs to the picture as it came to rest, which is a step of the history. */
  function load() {
    const url = sameBox(box, drawn) ? new URL(location.href) : address();
    if (url.href !== location.href) history.pushState(null, "", url);
    ask({ ...box });
  }

  /** Going back or on in the history: the picture is that of the address. */
  addEventListener("popstate", () => {
    if (location.search === shown) return; // another place on the page is no other picture
    clearTimeout(waiting);
    stop();
    ask(null);
  });

  async function ask(asked) {
    shown = location.search;
    const url = new URL(location.href);
    url.searchParams.set("screen", String(Math.round(svg.clientWidth)));
    busy?.abort();
    busy = new AbortController();
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: busy.signal });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!asked) show(boxOf(page.querySelector("#map svg")));
      replace(page, asked ?? { ...box });
    } catch (error) {
      if (error.name !== "AbortError") location.reload(); // the page itself says what is wrong
    }
  }

  function replace(page, asked) {
    const focused = document.activeElement?.closest?.(".bubble")?.dataset.place;
    drawn = asked;
    svg.querySelector(".bubbles").replaceWith(document.adoptNode(page.querySelector("#map .bubbles")));
    svg.classList.add("measured");
    for (const part of [".map-bar", ".map-foot", ".zoom", ".map-table"]) swap(map, page.getElementById("map"), part);
    frame.querySelector(".map-empty")?.remove();
    const empty = page.querySelector(".map-empty");
    if (empty) frame.append(document.adoptNode(empty));
    swap(document, page, ".map-side");
    show(box);
    refine();
    const again = focused && [...svg.querySelectorAll(".bubble")].find((bubble) => bubble.dataset.place === focused);
    if (focused) (again || frame).focus();
  }

  /** Puts a part of the new page in the place of the old one; what has the focus keeps it. */
  function swap(here, there, part) {
    const before = here.querySelector(part);
    const now = there?.querySelector(part);
    if (!before || !now) return;
    const label = before.contains(document.activeElement) ? document.activeElement.dataset?.step : null;
    const scrolled = before.querySelector(".scroll")?.scrollTop ?? 0;
    before.replaceWith(document.adoptNode(now));
    if (label) now.querySelector(`[data-step="${label}"]`)?.focus();
    if (now.querySelector(".scroll")) now.querySelector(".scroll").scrollTop = scrolled;
  }

  /** The finer outlines once they are needed. */
  function refine() {
    if (close() < DETAIL) return;
    for (const use of svg.querySelectorAll("use")) {
      const [file, id] = use.getAttribute("href").split("#");
      if (file !== svg.dataset.near) use.setAttribute("href", `${svg.dataset.near}#${id}`);
    }
  }

  // ── Buttons, keys, mouse, touch ───────────────────────────────────────────────────────────────────────────────────

  frame.addEventListener("click", (event) => {
    const step = event.target.closest("[data-step]");
    if (step && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      move(step.dataset.step);
    }
  });

  const keys = { "+": "in", "=": "in", "-": "out", _: "out", 0: "all", Home: "all", ArrowLeft: "west", ArrowRight: "east", ArrowUp: "north", ArrowDown: "south" };
  frame.addEventListener("keydown", (event) => {
    const step = keys[event.key];
    if (step && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      move(step);
    }
    if (event.key === "Escape") tip.hidden = true;
  });

  // A wheel alone scrolls the page: who wants to read on is not caught by the map.
  frame.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey || frame.contains(document.activeElement)) {
      event.preventDefault();
      zoomAt(event, 2 ** (-event.deltaY * (event.deltaMode ? 0.06 : 0.0025)));
    }
  }, { passive: false });
  svg.addEventListener("dblclick", (event) => {
    event.preventDefault();
    zoomAt(event, 2);
  });

  const fingers = new Map();
  let dragged = false;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 1) dragged = false;
  });
  addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    if (!dragged && fingers.size === 1 && Math.hypot(now.x - before.x, now.y - before.y) < 5) return;
    dragged = true;
    frame.classList.add("moving");
    stop();
    const scale = box.width / svg.getBoundingClientRect().width;
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    if (others.length) {
      const [other] = others;
      const apart = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      zoomAt({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 }, apart);
    } else {
      show(around(box.x + box.width / 2 - (now.x - before.x) * scale, box.y + box.height / 2 - (now.y - before.y) * scale, close()));
    }
    fingers.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, (event) => {
      if (!fingers.delete(event.pointerId)) return;
      frame.classList.remove("moving");
      if (dragged) settle();
    });
  }
  // Letting go of a dragged map on a circle does not follow its link.
  svg.addEventListener("click", (event) => {
    if (dragged) event.preventDefault();
    dragged = false;
  }, true);
  svg.addEventListener("dragstart", (event) => event.preventDefault());

  // ── What a circle is, in words ────────────────────────────────────────────────────────────────────────────────────

  function point(bubble) {
    for (const old of map.querySelectorAll(".pointed")) old.classList.remove("pointed");
    tip.hidden = !bubble;
    if (!bubble) return;
    const circle = bubble.querySelector("circle").getBoundingClientRect();
    const outer = frame.getBoundingClientRect();
    tip.textContent = bubble.getAttribute("aria-label");
    tip.style.transform = "none";
    const left = clamp(circle.left + circle.width / 2 - outer.left - tip.offsetWidth / 2, 4, outer.width - tip.offsetWidth - 4);
    const above = circle.top - outer.top - tip.offsetHeight - 6;
    tip.style.transform = `translate(${left}px, ${above > 2 ? above : circle.bottom - outer.top + 6}px)`;
  }
  for (const [on, off] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
    svg.addEventListener(on, (event) => point(event.target.closest(".bubble")));
    svg.addEventListener(off, () => point(null));
  }
  // The browser's own tooltip would come on top of this one.
  svg.addEventListener("pointerover", (event) => event.target.closest(".bubble")?.querySelector("title")?.remove());
}

function boxOf(svg) {
  const { x, y, width, height } = svg.viewBox.baseVal;
  return { x, y, width, height };
}

function sameBox(a, b) {
  return Object.keys(a).every((key) => Math.abs(a[key] - b[key]) < 0.05);
}

function clamp(n, least, most) {
  return Math.min(Math.max(n, least), Math.max(least, most));
}
