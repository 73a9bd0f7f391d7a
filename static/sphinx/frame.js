// What the back-office's frame leaves out for those who listen to a page.
document.addEventListener("DOMContentLoaded", () => {
  const say = (selector, role) =>
    document.querySelectorAll(selector).forEach((found) => found.setAttribute("role", role));
  say("#main", "main");
  say("ul.object-tools", "group");
});
