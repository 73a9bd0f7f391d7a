// Keeps a progress bar moving until the work has ended, then shows the page anew.
document.querySelectorAll("[data-progress]").forEach((bar) => {
  bar.firstElementChild.style.width = `${bar.getAttribute("aria-valuenow")}%`;
  const look = async () => {
    const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { status, done, total } = await answer.json();
    if (status !== "running") return window.location.reload();
    const share = total ? Math.floor((100 * done) / total) : 0;
    bar.setAttribute("aria-valuenow", share);
    bar.firstElementChild.style.width = `${share}%`;
    window.setTimeout(look, 2000);
  };
  window.setTimeout(look, 1000);
});
