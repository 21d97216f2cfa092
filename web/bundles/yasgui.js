// YASGUI with its style sheet: the only npm part of the SPARQL workbench (web/static/workbench).
import "@zazuko/yasgui/build/yasgui.min.css";
export { default as Yasgui } from "@zazuko/yasgui";
