// The ties of a large network as one stroke on a canvas below its marks. Cytoscape looks at each edge of its own whenever anything happens, and
// thousands of them are felt; here they are two paths: all of them, and on top those of the thing that was picked.

const WIDTH = 1.2, NEAR = 2.4; // in units of the drawing

/** A layer of ties below the marks of `cy` in `stage`; `colours()` gives those of a tie and of one that is picked. */
export function layer(stage, cy, colours) {
  const canvas = Object.assign(document.createElement("canvas"), { className: "ties" }), pen = canvas.getContext("2d");
  stage.prepend(canvas);
  let ties = [], of = new Map(), paths = null, picked = null, drawn = null, waiting = 0;

  /** These ties: pairs of ids. */
  function set(pairs) {
    [ties, of, picked] = [[], new Map(), null];
    for (const { source, target } of pairs) {
      const tie = [cy.getElementById(source)[0], cy.getElementById(target)[0]];
      if (!tie[0] || !tie[1]) continue;
      ties.push(tie);
      for (const end of [source, target]) of.set(end, [...(of.get(end) ?? []), tie]);
    }
    changed();
  }

  /** The thing and what is tied to it, whose ties stand out from now on; none for null. */
  function pick(node) {
    picked = node;
    changed();
    return node ? cy.collection([...new Set([node, ...(of.get(node.id()) ?? []).flat()])]) : cy.collection();
  }

  function changed() {
    paths = null;
    draw();
  }

  function path(some) {
    const found = new Path2D();
    for (const [a, b] of some) {
      const from = a.position(), to = b.position();
      found.moveTo(from.x, from.y);
      found.lineTo(to.x, to.y);
    }
    return found;
  }

  function stroke(on) {
    paths ??= [path(ties), path(picked ? (of.get(picked.id()) ?? []) : [])];
    const [tie, near] = colours();
    for (const [i, [colour, width]] of [[tie, WIDTH], [near, NEAR]].entries()) {
      on.strokeStyle = colour;
      on.lineWidth = width;
      on.stroke(paths[i]);
    }
  }

  function draw() {
    const zoom = cy.zoom(), pan = cy.pan();
    drawn = { zoom, x: pan.x, y: pan.y };
    canvas.width = stage.clientWidth;
    canvas.height = stage.clientHeight;
    canvas.style.transform = "";
    pen.setTransform(zoom, 0, 0, zoom, pan.x, pan.y);
    stroke(pen);
  }

  /** What stands goes along at once, and is drawn anew when nothing has moved for a moment. */
  function follow() {
    if (!drawn) return; // the things are still coming
    const zoom = cy.zoom(), pan = cy.pan(), grown = zoom / drawn.zoom;
    canvas.style.transform = `translate(${pan.x - grown * drawn.x}px, ${pan.y - grown * drawn.y}px) scale(${grown})`;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 80);
  }

  cy.on("viewport", follow);
  cy.on("resize", draw);
  cy.on("drag", "node", changed);
  return { set, pick, stroke, draw };
}
