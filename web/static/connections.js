// What is pointed at in the list stands out in the drawing, and the other way round. The page is whole without this.

const drawing = document.querySelector(".drawing .layers");
const items = [...document.querySelectorAll(".paths > li[data-paths]")];

if (drawing) {
  const lines = [...drawing.querySelectorAll(".tie")];
  const spots = [...drawing.querySelectorAll(".spot")];
  const numbers = (element) => new Set(element.dataset.paths.split(" "));
  const ends = new Map(lines.map((line) => [line, numbers(line)]));
  const meets = (a, b) => [...a].some((number) => b.has(number));

  const show = (chosen) => {
    for (const [line, paths] of ends) {
      line.classList.toggle("lit", Boolean(chosen) && meets(paths, chosen));
      line.classList.toggle("dim", Boolean(chosen) && !meets(paths, chosen));
    }
    for (const spot of spots) spot.classList.toggle("dim", Boolean(chosen) && !meets(numbers(spot), chosen));
    for (const item of items) item.classList.toggle("on", Boolean(chosen) && drawing.contains(document.activeElement) && meets(numbers(item), chosen));
  };
  for (const element of [...items, ...spots]) {
    for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, () => show(numbers(element)));
    for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, () => show(null));
  }
}
