// A page of something under way looks again every three seconds, telling that nobody is there (see the
// door): it shows what has changed, and keeps no session alive.
(() => {
  const SECONDS = 3;

  const look = async () => {
    const asked = { headers: { "X-Watching": "1" }, redirect: "manual" };
    const answer = await fetch(window.location.href, asked).catch(() => null);
    if (answer?.type === "opaqueredirect") {
      window.location.reload();
      return;
    }
    if (answer?.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = document.importNode(page.getElementById("main"), true);
      document.getElementById("main").replaceWith(main);
      window.htmx.process(main);
      document.dispatchEvent(new CustomEvent("kernel:shown", { detail: main }));
    }
    if (document.getElementById("kernel-watch")) window.setTimeout(look, SECONDS * 1000);
  };

  window.setTimeout(look, SECONDS * 1000);
})();
