// The outlines of the map, made from world-atlas: drawn once here, so that no page and no browser has to project anything.
//
// outlines.svg is for a map of all Europe, outlines-near.svg for one that is zoomed in; both hold #land (every country of the graph, each
// also by its ISO code), #beyond (the other land in the picture) and #insets (the same for regions overseas). outlines.json tells the
// server the projection, the insets and where each country is. Everything is in units of the picture: 5 km each.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { geoAzimuthalEqualArea, geoCentroid, geoContains, geoDistance, geoIdentity, geoPath } from "d3-geo";
import { feature, merge } from "topojson-client";

const EARTH = 6371.0088; // km
const UNIT = 5; // km
const FRAME = { west: -1800, north: -2280, width: 960, height: 832 }; // km from the centre, and units
const CENTRE = [10, 52]; // as in EPSG:3035, the projection of the EU for statistics

// Codes of ISO 3166-1, numeric as in world-atlas, of the countries that the graph has regions or things of.
const COUNTRIES = {
  "008": "ALB", "040": "AUT", "056": "BEL", "070": "BIH", "100": "BGR", "191": "HRV", "196": "CYP", "203": "CZE", "208": "DNK", "233": "EST", "246": "FIN",
  "250": "FRA", "276": "DEU", "300": "GRC", "348": "HUN", "352": "ISL", "372": "IRL", "380": "ITA", "428": "LVA", "438": "LIE", "440": "LTU", "442": "LUX",
  "470": "MLT", "499": "MNE", "528": "NLD", "578": "NOR", "616": "POL", "620": "PRT", "642": "ROU", "688": "SRB", "703": "SVK", "705": "SVN", "724": "ESP",
  "752": "SWE", "756": "CHE", "792": "TUR", "804": "UKR", "807": "MKD", "826": "GBR",
};
// What world-atlas holds apart, and what it belongs to here: Åland, and what has a name and no code.
const PARTS = { "248": "FIN", Kosovo: "XKX", "N. Cyprus": "CYP", "Cyprus U.N. Buffer Zone": "CYP" };
// Held by Russia in world-atlas, which shows who controls a place; the EU does not recognise the annexation.
const CRIMEA = { place: [34.2, 45.2], from: "643", to: "UKR" };

// Regions outside the frame, each in a box of its own: centre, kilometres across, and the name that is written in the box.
const INSETS = [
  ["Azores", [-28, 38.4], 720], ["Madeira", [-16.8, 32.75], 150], ["Canaries", [-15.8, 28.5], 560], ["Svalbard", [17, 78.6], 640], null,
  ["Guadeloupe", [-61.45, 16.2], 130], ["Martinique", [-61.02, 14.65], 90], ["Guyane", [-53.1, 3.95], 460], ["Réunion", [55.53, -21.12], 95], ["Mayotte", [45.15, -12.83], 60],
].flatMap((inset, n) => (inset ? [{ name: inset[0], centre: inset[1], reach: inset[2] / 2, x: 622 + 66 * (n % 5), y: 10 + 84 * Math.floor(n / 5), width: 60, height: 78 }] : []));

const THIN = 'vector-effect="non-scaling-stroke"'; // borders stay thin when the map is zoomed in; a style sheet cannot say that to what is in another file

/** Writes the outlines into a folder. */
export function writeOutlines(into) {
  const atlas = JSON.parse(readFileSync("node_modules/world-atlas/countries-10m.json", "utf8"));
  const lands = countries(atlas);
  for (const [name, coarse] of [["outlines.svg", 2], ["outlines-near.svg", 0.05]]) writeFileSync(join(into, name), picture(lands, coarse));
  const places = Object.fromEntries([...lands].filter(([code]) => code !== "beyond").map(([code, land]) => [code, place(land)]));
  const projection = { centre: CENTRE, earth: EARTH, unit: UNIT, ...FRAME };
  writeFileSync(join(into, "outlines.json"), `${JSON.stringify({ projection, insets: INSETS, countries: places })}\n`);
}

/** Multipolygons in degrees by code, the rest as "beyond". */
function countries(atlas) {
  const shapes = new Map([["beyond", []]]);
  for (const shape of atlas.objects.countries.geometries) {
    const polygons = shape.type === "Polygon" ? [shape.arcs] : (shape.arcs ?? []);
    for (const arcs of polygons) {
      const polygon = { type: "Polygon", arcs };
      const code = CRIMEA.from === shape.id && geoContains(feature(atlas, polygon), CRIMEA.place) ? CRIMEA.to : (COUNTRIES[shape.id] ?? PARTS[shape.id ?? shape.properties.name] ?? "beyond");
      shapes.set(code, [...(shapes.get(code) ?? []), polygon]);
    }
  }
  return new Map([...shapes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, polygons]) => [code, merge(atlas, polygons)]));
}

function projected(centre, kilometresAcross, width, [x, y]) {
  return geoAzimuthalEqualArea().rotate([-centre[0], -centre[1]]).translate([x, y]).scale((EARTH * width) / kilometresAcross).precision(0.1);
}

const MAIN = projected(CENTRE, FRAME.width * UNIT, FRAME.width, [-FRAME.west / UNIT, -FRAME.north / UNIT]);

/** The whole drawing, simplified until a triangle of so many square units would vanish. */
function picture(lands, coarse) {
  const paths = [...lands].map(([code, land]) => [code, draw(land, MAIN, [[0, 0], [FRAME.width, FRAME.height]], coarse)]);
  const insets = INSETS.map(({ centre, reach, x, y, width, height }) => {
    const near = { type: "MultiPolygon", coordinates: [...lands].filter(([code]) => code !== "beyond").flatMap(([, land]) => land.coordinates.filter((polygon) => close(polygon, centre, 2 * reach))) };
    return draw(near, projected(centre, 2 * reach, width, [x + width / 2, y + height / 2]), [[x, y], [x + width, y + height]], Math.min(coarse, 0.4));
  });
  const beyond = paths.find(([code]) => code === "beyond")[1];
  const land = paths.filter(([code, d]) => code !== "beyond" && d).map(([code, d]) => `<path id="${code}" ${THIN} d="${d}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FRAME.width} ${FRAME.height}">\n<path id="beyond" d="${beyond}"/>\n<g id="land">\n${land.join("\n")}\n</g>\n<path id="insets" ${THIN} d="${insets.join("")}"/>\n</svg>\n`;
}

function close(polygon, centre, reach) {
  return polygon[0].some((point) => geoDistance(point, centre) * EARTH < reach);
}

/** Path data of a shape inside a rectangle, in whole tenths of a unit. */
function draw(shape, projection, extent, coarse) {
  const flat = { type: "MultiPolygon", coordinates: shape.coordinates.map((polygon) => polygon.map((ring) => ring.map(projection))).filter(([outer]) => touches(outer, extent)) };
  const rings = [];
  let ring = [];
  const sink = {
    moveTo: (x, y) => (ring = [[x, y]]),
    lineTo: (x, y) => ring.push([x, y]),
    closePath: () => rings.push(ring),
    arc: () => {},
  };
  geoPath(geoIdentity().clipExtent(extent), sink)(flat);
  return rings.map((points) => simplified(points, coarse)).filter((points) => points.length > 2 && Math.abs(area(points)) > coarse).map(written).join("");
}

/** Whether a ring has a part in the rectangle; one that encloses it cannot be meant, nothing of that size is one country. */
function touches(ring, [[left, top], [right, bottom]]) {
  return ring.some(([x, y]) => x > left && x < right && y > top && y < bottom);
}

/** Visvalingam and Whyatt: of a ring's points take away the one whose triangle is smallest, until none is small. */
function simplified(ring, least) {
  const points = ring.map(([x, y]) => ({ x, y }));
  points.forEach((point, i) => Object.assign(point, { before: points.at(i - 1), after: points[(i + 1) % points.length] }));
  const size = ({ x, y, before: a, after: b }) => Math.abs((a.x - x) * (b.y - y) - (b.x - x) * (a.y - y)) / 2;
  const heap = points.map((point) => Object.assign(point, { area: size(point) })).sort((a, b) => a.area - b.area);
  let left = points.length;
  // Only what is small is ever looked at; a point whose triangle grew meanwhile is put back in its place.
  for (let i = 0; i < heap.length && left > 3; i += 1) {
    const point = heap[i];
    if (point.area >= least) break;
    point.gone = true;
    left -= 1;
    point.before.after = point.after;
    point.after.before = point.before;
    for (const near of [point.before, point.after]) {
      const at = heap.indexOf(near, i + 1);
      if (at < 0) continue;
      near.area = Math.max(size(near), point.area);
      heap.splice(at, 1);
      heap.splice(place_of(heap, near.area, i + 1), 0, near);
    }
  }
  return points.filter((point) => !point.gone).map(({ x, y }) => [x, y]);
}

function place_of(heap, area, from) {
  let to = heap.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (heap[middle].area < area) from = middle + 1;
    else to = middle;
  }
  return from;
}

function area(ring) {
  return ring.reduce((sum, [x, y], i) => sum + ring.at(i - 1)[0] * y - x * ring.at(i - 1)[1], 0) / 2;
}

/** A ring as path data: the first point, then steps of tenths. */
function written(ring) {
  const tenths = ring.map(([x, y]) => [Math.round(x * 10), Math.round(y * 10)]);
  const number = (n) => String(n / 10).replace(/^(-?)0\./, "$1.");
  const steps = tenths.slice(1).map(([x, y], i) => [x - tenths[i][0], y - tenths[i][1]]).filter(([x, y]) => x || y);
  const line = steps.flat().map(number).reduce((text, n) => text + (text && !n.startsWith("-") ? " " : "") + n, "");
  return steps.length ? `M${number(tenths[0][0])} ${number(tenths[0][1])}l${line}z` : "";
}

/** Where a country is in the picture, and a point inside it in degrees: of its largest part, for overseas would pull it into the sea. */
function place(land) {
  const polygons = land.coordinates.map((polygon) => ({ type: "Polygon", coordinates: polygon }));
  const sizes = polygons.map((polygon) => Math.abs(geoPath(MAIN).area(polygon)));
  const largest = Math.max(...sizes);
  // What is far away or very small would make the box of France reach to South America.
  const main = polygons.filter((polygon, i) => sizes[i] > largest / 400 && touches(polygon.coordinates[0].map(MAIN), [[0, 0], [FRAME.width, FRAME.height]]));
  const [[left, top], [right, bottom]] = geoPath(MAIN).bounds({ type: "GeometryCollection", geometries: main });
  const round = (n, digits) => Number(n.toFixed(digits));
  return { box: [left, top, right, bottom].map((n) => round(n, 1)), point: geoCentroid(polygons[sizes.indexOf(largest)]).map((n) => round(n, 3)) };
}
