"use strict";
const body = document.body;
const live = document.getElementById("live");
const said = new Map();
let latest = 0;
let events = null;

for (const part of document.querySelectorAll("[data-part]")) said.set(part.id, part.outerHTML);

// Takes what has changed out of the page at an address; the rest stays as it is. The mail is there
// at once; what the check finds comes with a second look.
async function show(address, isComplete = false) {
  const mine = ++latest;
  try {
    const asked = new URL(address, location.href);
    if (isComplete) asked.searchParams.set("complete", "1");
    const answer = await fetch(asked);
    const text = await answer.text();
    if (mine !== latest) return;
    const page = new DOMParser().parseFromString(text, "text/html");
    if (!page.getElementById("stage")) throw new Error(text.slice(0, 200));
    history.replaceState(null, "", address);
    body.dataset.digest = page.body.dataset.digest;
    page.querySelectorAll("[data-part]").forEach(renew);
    document.querySelector("main").className = page.querySelector("main").className;
    tell("Up to date");
    if ("checking" in document.getElementById("findings").dataset && !isComplete) {
      show(address, true);
    }
  } catch {
    if (mine === latest) tell("The preview does not answer", true);
  }
}

function renew(fresh) {
  const html = fresh.outerHTML;
  if (said.get(fresh.id) === html) return;
  said.set(fresh.id, html);
  const old = document.getElementById(fresh.id);
  const frames = [...fresh.querySelectorAll("iframe")];
  if (frames.length && old.dataset.key === fresh.dataset.key) {
    frames.forEach(reload);
    return;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = old.querySelector("[data-scroll]")?.scrollTop;
  old.replaceWith(document.adoptNode(fresh));
  const pane = fresh.querySelector("[data-scroll]");
  if (pane && scrolled && old.dataset.key === fresh.dataset.key) pane.scrollTop = scrolled;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function reload(fresh) {
  const frame = document.getElementById(fresh.id);
  const source = fresh.getAttribute("src");
  if (frame.dataset.digest === fresh.dataset.digest && frame.dataset.source === source) return;
  frame.dataset.digest = fresh.dataset.digest;
  frame.dataset.source = source;
  frame.height = fresh.height;
  // The attribute would add a step to the history of the page.
  frame.contentWindow.location.replace(new URL(source, location.href));
}

function tell(text, isTrouble = false) {
  if (live.textContent !== text) live.textContent = text;
  live.classList.toggle("trouble", isTrouble);
}

// A browser opens six connections to one place: a page that nobody sees gives its own back.
function listen() {
  events?.close();
  events = null;
  if (document.hidden) return;
  events = new EventSource(`/events/${encodeURIComponent(body.dataset.slug)}`);
  events.onopen = () => tell("Up to date");
  events.onmessage = (event) => {
    if (event.data !== body.dataset.digest) show(location.href);
  };
  events.onerror = () => {
    tell("The preview has stopped; waiting for it", true);
    if (events?.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

async function follow(address) {
  await show(address);
  const line = location.hash && document.getElementById(location.hash.slice(1));
  if (!line) return;
  line.scrollIntoView({ block: "center" });
  line.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-stay]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    follow(link.href);
  }
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    navigator.clipboard.writeText(copied.dataset.copy).then(
      () => tell(`Copied ${copied.dataset.copy}`),
      () => tell("The browser does not let this page copy", true),
    );
  }
});

function choose() {
  const form = document.getElementById("chooser");
  follow(`${form.action}?${new URLSearchParams(new FormData(form))}`);
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  choose();
});

let typing = 0;
document.addEventListener("input", (event) => {
  if (event.target.id !== "reader") return;
  const typed = event.target.value.trim();
  clearTimeout(typing);
  const offered = [...document.querySelectorAll("#addresses option")];
  if (!typed || offered.some((option) => option.value === typed)) {
    choose();
    return;
  }
  typing = setTimeout(() => offer(typed), 150);
});

async function offer(part) {
  const place = `/subscribers/${encodeURIComponent(body.dataset.slug)}`;
  const answer = await fetch(`${place}?${new URLSearchParams({ part })}`);
  const options = (await answer.json()).map((address) => new Option("", address));
  document.getElementById("addresses").replaceChildren(...options);
}

document.addEventListener("visibilitychange", listen);
for (const frame of document.querySelectorAll("iframe")) {
  frame.dataset.source = frame.getAttribute("src");
}
listen();
if ("checking" in document.getElementById("findings").dataset) show(location.href, true);
