// Keys: [data-key] is clicked (or focused, where one writes), j and k move along rows, / searches.
"use strict";

(() => {
  const writes = (element) =>
    element &&
    (element.isContentEditable ||
      (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && !/^(checkbox|radio)$/.test(element.type)));
  const visible = (element) => element.getClientRects().length > 0;
  let sent = false; // what writes is sent once, however long the key is held or often one clicks

  function rows() {
    return [...document.querySelectorAll("[data-rows] tbody tr")];
  }

  function move(step) {
    const all = rows();
    if (!all.length) return false;
    const at = all.findIndex((row) => row.classList.contains("cursor"));
    const next = Math.min(Math.max(at + step, 0), all.length - 1);
    if (at >= 0) all[at].classList.remove("cursor");
    all[next].classList.add("cursor");
    const link = all[next].querySelector("a[href]");
    if (link) link.focus({ preventScroll: true });
    all[next].scrollIntoView({ block: "nearest" });
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const dialog = document.querySelector("dialog[open]");
    const at = document.activeElement;
    if (event.key === "Escape" && writes(at)) {
      at.blur();
      return;
    }
    if (writes(at) || dialog) return;
    if (event.repeat && !/^[jk]$/.test(event.key)) return;
    if (event.key === "/") {
      event.preventDefault();
      const box = document.querySelector("input[type=search]");
      if (box) box.focus();
      else window.location.assign("/customers");
      return;
    }
    if (/^[1-9]$/.test(event.key) && pick(at, event.key)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && at !== document.body) return; // what is in focus takes it
    const target = [...document.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]`)].find(visible);
    if (target) {
      event.preventDefault();
      if (writes(target)) target.focus();
      else if (!sent || !target.closest("form[method=post]") || target.type === "button") target.click();
      return;
    }
    if ((event.key === "j" || event.key === "k") && move(event.key === "j" ? 1 : -1)) {
      event.preventDefault();
    }
  });

  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !event.target.matches("form[method=post]")) return;
    if (sent) event.preventDefault();
    sent = true;
  });
  window.addEventListener("pageshow", () => { sent = false; });

  // ---------------------------------------------------------------- help
  // The keys of what is on the page now, each in the words of what it does.
  function words(control) {
    const named = (control.labels && control.labels[0]) || control;
    const copy = named.cloneNode(true);
    copy.querySelectorAll("kbd, .hidden").forEach((one) => one.remove());
    return copy.textContent.trim().replace(/\s+/g, " ") || control.getAttribute("aria-label") || named.textContent.trim();
  }

  function explain(list) {
    list.querySelectorAll("[data-own]").forEach((row) => row.remove());
    list.querySelectorAll("[data-with]").forEach((row) => {
      row.hidden = ![...document.querySelectorAll(row.dataset.with)].some(visible);
    });
    const known = new Set(["?"]);
    const before = list.firstElementChild;
    for (const control of document.querySelectorAll("[data-key]")) {
      const key = control.dataset.key;
      if (known.has(key) || !visible(control)) continue;
      known.add(key);
      const row = document.createElement("div");
      row.dataset.own = "";
      const name = document.createElement("kbd");
      name.textContent = key;
      row.append(document.createElement("dt"), document.createElement("dd"));
      row.firstChild.append(name);
      row.lastChild.textContent = words(control);
      list.insertBefore(row, before);
    }
    for (const row of list.querySelectorAll("[data-with]")) {
      if (known.has(row.querySelector("kbd").textContent) && row.querySelector("kbd").textContent !== "?") row.hidden = true;
    }
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-opens="keys"]')) explain(document.querySelector("#keys dl"));
  });

  // ---------------------------------------------------------------- groups
  function pick(at, number) {
    const head = at && at.closest && at.closest("th[data-record]");
    const frame = document.querySelector("[data-case].picking");
    if (!head || !frame) return false;
    const select = head.querySelector("select");
    if (![...select.options].some((one) => one.value === number)) return false;
    select.value = number;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    const heads = [...frame.querySelectorAll("th[data-record]")];
    const next = heads[heads.indexOf(head) + 1];
    (next || frame.querySelector(".grouping button")).focus();
    return true;
  }

  function paint(select) {
    const head = select.closest("th[data-record]");
    head.className = head.className.replace(/\bc\d\b/, `c${((Number(select.value) - 1) % 6) + 1}`);
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("th[data-record] select")) paint(event.target);
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-groups]");
    if (!opener) return;
    const form = opener.closest("form");
    const picking = form.classList.toggle("picking");
    opener.setAttribute("aria-expanded", String(picking));
    form.querySelector(".grouping").hidden = !picking;
    const first = form.querySelector("th[data-record]");
    if (picking && first) first.focus();
  });
})();
