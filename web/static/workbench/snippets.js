// The current query as a program: curl, Python and R, quoted so that any query survives.

/** {language: (endpoint, query, graphs) => text}; `graphs` are pairs of parameter and IRI. */
export const SNIPPETS = {
  curl: (endpoint, query, graphs) =>
    [`curl -s ${shell(endpoint)} -H 'Accept: text/csv'`, ...fields(query, graphs).map(([name, value]) => `--data-urlencode ${shell(`${name}=${value}`)}`)].join(" \\\n  "),

  Python: (endpoint, query, graphs) => `# pip install SPARQLWrapper pandas
from io import BytesIO

import pandas
from SPARQLWrapper import CSV, POST, SPARQLWrapper

sparql = SPARQLWrapper(${python(endpoint)})
sparql.setMethod(POST)
sparql.setReturnFormat(CSV)
${graphs.map(([name, value]) => `sparql.addParameter(${python(name)}, ${python(value)})\n`).join("")}sparql.setQuery(${python(query)})
table = pandas.read_csv(BytesIO(sparql.query().convert()))
print(table)
`,

  R: (endpoint, query, graphs) => `# install.packages("httr2")
library(httr2)

answer <- request(${r(endpoint)}) |>
  req_headers(Accept = "text/csv") |>
  req_body_form(${fields(query, graphs).map(([name, value]) => `\`${name}\` = ${r(value)}`).join(", ")}) |>
  req_perform()
table <- read.csv(text = resp_body_string(answer))
print(table)
`,
};

function fields(query, graphs) {
  return [["query", query], ...graphs];
}

function shell(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function python(text) {
  // A JSON string is a Python string; a query without anything to escape reads better as it is.
  if (!text.includes("\n")) return JSON.stringify(text);
  const plain = !text.includes("\\") && !text.includes('"""') && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
  return plain ? `"""\n${text.replace(/\n?$/, "\n")}"""` : JSON.stringify(text);
}

function r(text) {
  let fence = "";
  while (text.includes(`)${fence}"`)) fence += "-";
  return `r"${fence}(${text})${fence}"`;
}
