// The words of the workbench in the reader's language. In the code they are English, as in the templates; the page brings what is called otherwise.

const words = JSON.parse(document.getElementById("workbench").dataset.words);

/** A string in the reader's language. Where it says %(name)s stands a value. */
export function _(text, values = {}) {
  return (words[text] ?? text).replace(/%\((\w+)\)s/g, (found, name) => values[name] ?? found);
}
