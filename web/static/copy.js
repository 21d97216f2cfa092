/* A button that copies a text, for every element that says so:  <p data-copy="Copy" data-copied="Copied">the text</p>
   Without this script one click selects the whole text, and the keyboard copies it. */

for (const source of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // not on an insecure address
  const text = source.textContent;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = source.dataset.copy;
  // Read out when it changes, and named by what it copies where there are several.
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = source.dataset.copied;
    setTimeout(() => (button.textContent = source.dataset.copy), 2000);
  });
  source.after(button);
}
