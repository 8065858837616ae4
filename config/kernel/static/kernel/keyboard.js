// What Alpine lets be clicked sits partly on elements that the keyboard cannot reach: make those
// buttons, with a name. Icons are pictures made of words, and not to be read out.
(() => {
  const ENGLISH = document.documentElement.lang.startsWith("en");
  const NAMES = {
    dock_to_right: ["收起或展开侧栏", "Hide or show the sidebar"],
    close: ["关闭", "Close"],
  };
  const CLICKABLE = "[x-on\\:click], [\\@click]";
  const NATIVE = "a[href], button, input, select, textarea, label, summary, [tabindex]";

  const button = (element, name) => {
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "0");
    element.dataset.kernelButton = "";
    if (name) element.setAttribute("aria-label", name);
  };

  const words = (element) => {
    const copy = element.cloneNode(true);
    for (const icon of copy.querySelectorAll(".material-symbols-outlined")) icon.remove();
    return copy.textContent.trim();
  };

  const prepare = (element) => {
    if (element.matches(NATIVE)) return;
    if (/^H[1-6]$/.test(element.tagName)) {
      const icon = element.querySelector(".material-symbols-outlined:last-child");
      if (icon) button(icon, words(element));
    } else if (element.matches(".material-symbols-outlined")) {
      const known = NAMES[element.textContent.trim()];
      button(element, known ? known[ENGLISH ? 1 : 0] : element.title);
    } else if (words(element)) {
      button(element, "");
    }
  };

  const prepareAll = (root) => {
    for (const element of root.querySelectorAll(CLICKABLE)) prepare(element);
    for (const icon of root.querySelectorAll(".material-symbols-outlined")) {
      const parent = icon.parentElement;
      const isName = icon.matches("[role=button]") || (parent.matches("a, button") && !words(parent));
      if (!isName) icon.setAttribute("aria-hidden", "true");
    }
  };

  document.addEventListener("DOMContentLoaded", () => prepareAll(document));
  document.addEventListener("kernel:shown", (event) => prepareAll(event.detail));

  // Each list that scrolls by itself is a region; several of them need names of their own.
  window.addEventListener("load", () => {
    for (const region of document.querySelectorAll(".simplebar-content-wrapper[role=region]")) {
      const [chinese, english] = region.querySelector("table") ? ["表格", "Table"] : ["菜单", "Menu"];
      region.setAttribute("aria-label", ENGLISH ? english : chinese);
    }
  });

  document.addEventListener("keydown", (event) => {
    if ((event.key !== "Enter" && event.key !== " ") || event.target.dataset?.kernelButton === undefined) return;
    event.preventDefault();
    event.target.click();
  });
})();
