// The phone's camera as a scanner: what it reads is typed into the code's field and sent, as a
// scanner would. ZXing reads it, from the project's own files; it is loaded when first asked for.
(() => {
  const script = document.currentScript;
  const code = document.getElementById("code");
  if (!code || !navigator.mediaDevices?.getUserMedia) return;

  // The same code again within this time is the same look at the same label.
  const AGAIN = 1800;
  const words = script.dataset;
  const button = Object.assign(document.createElement("button"), {
    type: "button", className: "sx-button sx-camera", textContent: words.open,
  });
  button.setAttribute("aria-expanded", "false");
  code.after(button);
  const box = document.createElement("div");
  box.className = "sx-lens";
  box.hidden = true;
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const told = document.createElement("p");
  told.setAttribute("role", "status");
  box.append(video, told);
  (code.closest(".sx-scan-row") || code.parentElement).after(box);
  let reader = null;
  let last = { text: "", at: 0 };

  const load = () => new Promise((resolve, reject) => {
    if (window.ZXing) return resolve();
    const library = Object.assign(document.createElement("script"), { src: words.library });
    library.onload = resolve;
    library.onerror = reject;
    document.head.append(library);
  });

  const send = (text) => {
    const form = code.form;
    code.value = text;
    const verb = form.querySelector("button[data-scan]") || form.querySelector("button:not([type=button])");
    form.requestSubmit(verb || undefined);
  };

  const seen = (text) => {
    const now = Date.now();
    if (text === last.text && now - last.at < AGAIN) {
      last.at = now;
      return;
    }
    last = { text, at: now };
    told.textContent = text;
    if (navigator.vibrate) navigator.vibrate(60);
    send(text);
  };

  const close = () => {
    if (reader) reader.reset();
    reader = null;
    box.hidden = true;
    button.textContent = words.open;
    button.setAttribute("aria-expanded", "false");
    code.focus();
  };

  const open = async () => {
    box.hidden = false;
    told.textContent = words.wait;
    button.textContent = words.close;
    button.setAttribute("aria-expanded", "true");
    try {
      await load();
      reader = new window.ZXing.BrowserMultiFormatReader(undefined, 250);
      const wanted = { video: { facingMode: "environment" } };
      await reader.decodeFromConstraints(wanted, video, (found) => found && seen(found.getText()));
      told.textContent = words.aim;
    } catch {
      close();
      box.hidden = false;
      told.textContent = words.refused;
    }
  };

  button.addEventListener("click", () => (reader || !box.hidden && button.textContent === words.close ? close() : open()));
  window.addEventListener("pagehide", () => reader && reader.reset());
})();
