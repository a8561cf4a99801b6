// What pages need beyond htmx: dialogs, confirmation, moving focus. No page logic.
"use strict";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (dialog) dialog.showModal();
  }
});

// A form with data-confirm asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset && event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Say at the bottom what went wrong with a request that htmx sent.
function toast(text) {
  const place = document.getElementById("toasts");
  const note = document.createElement("p");
  note.className = "toast";
  note.textContent = text;
  place.append(note);
  setTimeout(() => note.remove(), 8000);
}
window.onefold = { toast };

document.addEventListener("htmx:responseError", (event) => {
  const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const said = [...page.querySelectorAll("main h1, main .card > p:not(.code):not(.ways)")];
  toast(said.map((one) => one.textContent.trim()).join(" – ") || String(event.detail.xhr.status));
});
