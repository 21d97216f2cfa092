// Makes elements. Text is only ever set as text: nothing in the workbench parses HTML.

/**
 * An element with attributes and children. An attribute that is null, undefined or false is left out, one that is true
 * is empty; `on…` is a listener; strings among the children are text.
 */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value != null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== ""));
  return node;
}

/** A number as people write it in the language of the page. */
export const number = new Intl.NumberFormat(document.documentElement.lang);
