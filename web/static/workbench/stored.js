// What a browser keeps between visits: the tabs, their names and queries. Read with distrust, since an older edition, another
// program on the same origin or a half-written disk may have left anything there.

import { _ } from "./words.js";

const GRAPHS = new Set(["default-graph-uri", "named-graph-uri"]);

/** Leaves of what is stored only what we would store ourselves; forgets it where it makes no sense. */
export function mend(key) {
  try {
    const stored = JSON.parse(localStorage.getItem(key));
    if (stored === null) return;
    const { tabs, tabConfig, active } = stored.val;
    const kept = tabs.filter((id) => /^\w{1,40}$/.test(id) && typeof tabConfig[id]?.yasqe?.value === "string").slice(0, 50);
    const config = Object.fromEntries(kept.map((id) => [id, tabOf(id, tabConfig[id])]));
    const val = { endpointHistory: [], tabs: kept, active: kept.includes(active) ? active : kept[0], tabConfig: config };
    if (kept.length) localStorage.setItem(key, JSON.stringify({ ...stored, val }));
    else localStorage.removeItem(key);
  } catch {
    forget(key);
  }
}

/** What is stored of one tab: never an address, a header or an answer. */
export function tabOf(id, { name, yasqe, yasr, requestConfig }) {
  const view = yasr?.settings?.selectedPlugin;
  return {
    id,
    name: String(name ?? _("Query")).slice(0, 80),
    yasqe: { value: yasqe.value },
    yasr: { settings: { selectedPlugin: ["table", "chart", "raw"].includes(view) ? view : "table", pluginsConfig: {} } },
    requestConfig: { args: graphsOf(requestConfig?.args).map(([name, value]) => ({ name, value })) },
  };
}

/** The graphs a query is asked of, as pairs of parameter and IRI; nothing else may ride along with a query. */
export function graphsOf(args) {
  if (!Array.isArray(args)) return [];
  return args.filter((arg) => GRAPHS.has(arg?.name) && typeof arg.value === "string").map(({ name, value }) => [name, value]);
}

/** The query and graphs in a link, from its query string or from behind its #. */
export function linked(location) {
  for (const part of [location.hash.slice(1), location.search]) {
    const fields = new URLSearchParams(part);
    if (fields.get("query")) {
      return { query: fields.get("query"), graphs: [...fields].filter(([name]) => GRAPHS.has(name)) };
    }
  }
  return null;
}

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}
