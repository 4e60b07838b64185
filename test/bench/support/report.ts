import type { BenchResult, Distribution, Figure, Goal } from './bench.js';

export function isMet({ goal, value }: Figure): boolean | null {
  if (!goal) return null;
  return 'atLeast' in goal ? value >= goal.atLeast : value < goal.below;
}

/** The table for people: conditions first, then a line for each figure. */
export function tableOf(machine: Readonly<Record<string, string | number>>, result: BenchResult): string {
  const facts = Object.entries({ ...machine, ...result.conditions });
  const factWidth = Math.max(...facts.map(([name]) => name.length));
  const rows = result.figures.map((figure) => [
    figure.name,
    valueText(figure),
    figure.goal ? goalText(figure.goal) : '',
    { true: 'met', false: 'NOT MET', null: '' }[String(isMet(figure))]!,
  ]);
  const heading = ['figure', 'value', 'goal', 'met or not'];
  const widths = heading.map((word, column) =>
    Math.max(word.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [
    ...facts.map(([name, value]) => `${name.padEnd(factWidth)}  ${value}`),
    '',
    line(heading),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map(line),
    ...(result.distributions ?? []).flatMap((distribution) => ['', ...barsOf(distribution)]),
  ].join('\n');
}

const BAR_WIDTH = 50;

/** A line for each bucket that has anything in it, and for the empty ones between. */
function barsOf({ name, unit, buckets }: Distribution): string[] {
  const most = Math.max(...buckets.map(({ count }) => count));
  const last = buckets.findLastIndex(({ count }) => count > 0);
  const width = String(buckets.at(-1)?.to ?? 0).length;
  return [
    name,
    ...buckets.slice(0, last + 1).map(({ from, to, count }) => {
      const bar = '#'.repeat(Math.ceil((count / most) * BAR_WIDTH));
      const range = `${String(from).padStart(width)} to ${String(to).padStart(width)} ${unit}`;
      return `  ${range}  ${String(count).padStart(7)}  ${bar}`.trimEnd();
    }),
  ];
}

/** The document for machines. */
export function documentOf(
  bench: string,
  machine: Readonly<Record<string, string | number>>,
  result: BenchResult,
) {
  const figures = result.figures.map((figure) => {
    const met = isMet(figure);
    return met === null ? figure : { ...figure, met };
  });
  return {
    bench,
    at: new Date().toISOString(),
    machine,
    conditions: result.conditions,
    figures,
    ...(result.distributions && { distributions: result.distributions }),
    goals_met: result.figures.every((figure) => isMet(figure) !== false),
  };
}

function valueText({ value, unit, min, max }: Figure): string {
  const range = min === undefined || max === undefined ? '' : ` (${rounded(min)} to ${rounded(max)})`;
  return `${rounded(value)}${unit === '' ? '' : ` ${unit}`}${range}`;
}

function goalText(goal: Goal): string {
  return 'atLeast' in goal ? `at least ${goal.atLeast}` : `below ${goal.below}`;
}

function rounded(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return String(Math.round(value));
  return value.toPrecision(3);
}
