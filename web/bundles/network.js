// Cytoscape: the only npm part of the drawing of a network (web/static/network.js). Places come from the server, so no layout is needed.
export { default as cytoscape } from "cytoscape";
