// Levels of finance that pay for the scheme chosen: the others are not offered, and the only one is
// chosen. Without a script the form refuses them at the field.
document.addEventListener("DOMContentLoaded", () => {
  const tier = document.querySelector("select[data-paid]");
  const scheme = document.querySelector("select[name=scheme_code]");
  if (!tier || !scheme) return;
  const paid = JSON.parse(tier.dataset.paid);
  const offered = [...tier.options];

  const narrow = () => {
    const own = paid[scheme.value];
    const was = tier.value;
    const left = offered.filter((one) => !one.value || !own || own.includes(one.value));
    tier.replaceChildren(...left);
    const named = left.filter((one) => one.value);
    const kept = named.find((one) => one.value === was);
    const chosen = kept || (named.length === 1 ? named[0] : left[0]);
    chosen.selected = true;
  };

  scheme.addEventListener("change", narrow);
  narrow();
});
