import { number } from "./format.js";

/** A group of bars under a heading. */
export interface Group {
  heading: string;
  bars: Bar[];
}

/** A value, drawn as long as it is. */
export interface Bar {
  name: string;
  value: number;
  /** Whether it stands out. */
  ours: boolean;
}

/** A group as it is drawn. All lengths are in pixels. */
export interface PlacedGroup {
  heading: string;
  /** The base line of the heading. */
  y: number;
  /** The line of the value 1: its ends. */
  one: { x: number; top: number; bottom: number };
  bars: (Bar & { x: number; y: number; width: number })[];
}

const WIDTH = 760;
const MARGIN = 24;
/** Where bars begin: the names are on their left. */
const LEFT = 286;
/** How long the longest bar is; its value is on its right. */
const LONGEST = WIDTH - LEFT - MARGIN - 40;
const HEADER = 68;
const HEADING = 26;
const GAP = 22;
const ROW = 20;
const BAR = 12;

/** Where everything is, and how high that makes the picture. All groups have the same scale. */
export function layOut(groups: readonly Group[]): { groups: PlacedGroup[]; height: number } {
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  let top = HEADER;
  const placed = groups.map(({ heading, bars }) => {
    const y = top + HEADING;
    const bottom = y + bars.length * ROW + 4;
    top = bottom + GAP;
    return {
      ...{ heading, y: y - 10, one: { x: LEFT + LONGEST / most, top: y, bottom } },
      bars: bars.map((bar, row) => ({
        ...bar,
        ...{ x: LEFT, y: y + 4 + row * ROW + (ROW - BAR) / 2 - 2, width: (bar.value / most) * LONGEST },
      })),
    };
  });
  return { groups: placed, height: top - GAP + MARGIN };
}

/** Draws bars as an SVG, which follows the reader's choice of light or dark. */
export function chart(title: string, description: string, groups: readonly Group[]): string {
  const { groups: placed, height } = layOut(groups);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(`${description} ${inWords(groups)}`)}</desc>
<style>${STYLE}</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="6"/>
<text class="title" x="${MARGIN}" y="34">${escaped(title)}</text>
<text class="note" x="${MARGIN}" y="54">${escaped(description)}</text>
${placed.map(drawGroup).join("\n")}
</svg>
`;
}

function drawGroup({ heading, y, one, bars }: PlacedGroup): string {
  return [
    `<text class="heading" x="${MARGIN}" y="${y}">${escaped(heading)}</text>`,
    `<line x1="${tenth(one.x)}" x2="${tenth(one.x)}" y1="${one.top}" y2="${one.bottom}"/>`,
    ...bars.map(drawBar),
  ].join("\n");
}

function drawBar({ name, value, ours, x, y, width }: PlacedGroup["bars"][number]): string {
  const base = y + BAR - 2;
  return `<g${ours ? ' class="ours"' : ""}>
<text class="name" x="${x - 10}" y="${base}">${escaped(name)}</text>
<rect x="${x}" y="${y}" width="${tenth(width)}" height="${BAR}" rx="1.5"/>
<text x="${tenth(x + width + 8)}" y="${base}">${number(value)}</text>
</g>`;
}

/** For those who hear the picture. */
function inWords(groups: readonly Group[]): string {
  return groups
    .map(({ heading, bars }) => `${heading}: ${bars.map(({ name, value }) => `${name} ${number(value)}`).join("; ")}.`)
    .join(" ");
}

function tenth(length: number): string {
  return String(Math.round(length * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

const STYLE = `
svg { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --bar: #c3cad3; --ours: #0969da; }
@media (prefers-color-scheme: dark) {
svg { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --bar: #3d444d; --ours: #4493f8; }
}
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--faint); stroke: var(--paper); stroke-width: 4px; paint-order: stroke; }
.title { font-size: 16px; font-weight: 600; fill: var(--ink); }
.heading { font-weight: 600; fill: var(--ink); }
.name { text-anchor: end; }
.ours text { font-weight: 600; fill: var(--ink); }
rect { fill: var(--bar); }
.ours rect { fill: var(--ours); }
.paper { fill: var(--paper); }
line { stroke: var(--faint); }
`;
