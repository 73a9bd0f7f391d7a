// A scanner doesn't wait for pages: what it types is queued and sent in order, the page's figures
// are replaced, and the cursor stays where the next code goes. Without this script each code
// loads the page anew.
const toTheCode = () => document.getElementById("code")?.focus();
toTheCode();
// While the page is being read its frame is still hidden, and takes no cursor.
document.addEventListener("DOMContentLoaded", toTheCode);
// A code that opens another page opens it once: the next scan, typed while that page is on its way,
// would ask the same question of another code. `pageshow`: the page may come back from the cache.
document.querySelectorAll("form:has(#code):not([data-scan])").forEach((form) => {
  let leaving = false;
  form.addEventListener("submit", (event) => (leaving ? event.preventDefault() : (leaving = true)));
  window.addEventListener("pageshow", () => (leaving = false));
});
document.querySelectorAll("form[data-scan]").forEach((form) => {
  const code = form.querySelector("#code");
  const waiting = [];
  let busy = false;

  const send = async () => {
    if (busy || !waiting.length) return;
    busy = true;
    const { text, button } = waiting.shift();
    const body = new FormData(form, button);
    body.set("code", text);
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body });
    } catch {
      answer = { ok: false };
    }
    const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
    if (!page.querySelector("#code")) {
      // A choice to make, a log-in, no network: the page itself says it.
      code.value = text;
      button.name && form.append(Object.assign(document.createElement("input"), {
        type: "hidden", name: button.name, value: button.value,
      }));
      return form.submit();
    }
    form.ownerDocument.querySelectorAll("[data-live]").forEach((part) => {
      const fresh = page.getElementById(part.id);
      if (fresh) part.innerHTML = fresh.innerHTML;
    });
    const refused = page.querySelector("#scan-said [role=alert]");
    if (refused && navigator.vibrate) navigator.vibrate(300);
    busy = false;
    send();
  };

  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!code || !button || !("scan" in button.dataset)) return;
    event.preventDefault();
    const text = code.value.trim();
    code.value = "";
    code.focus();
    if (text) waiting.push({ text, button });
    send();
  });
});
