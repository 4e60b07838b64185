import { isShownSecret, jsonOption } from '../mapping/json-option.js';
import { TemplateFault, type Template } from '../mapping/template.js';
import { credentialTemplate, withCredential, type Credential } from './credential.js';
import { encodeValue } from './request-url.js';

/** How parameters are written. */
export type ParamsFormat = 'json' | 'form' | 'query';

type Node =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'constant'; readonly value: number | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Node])[] };

/** Parameters of a request, ready to be filled in. */
export interface ParamTemplates {
  readonly root: Node & { readonly kind: 'object' };
  readonly templates: readonly Template[];
}

export const MAX_PARAM_DEPTH = 6;
const MAX_PARAMS = 100;

/**
 * Parameters of an option: an object, or the JSON text of one. Only JSON bodies nest.
 *
 * @param at told the place of each fault. @throws TemplateFault for the whole.
 */
export function compileParams(
  option: unknown,
  format: ParamsFormat,
  at: (name: string, compile: () => void) => void,
): ParamTemplates {
  const given = jsonOption(option);
  if (!given) throw new TemplateFault('must be an object, or the JSON text of one');
  const templates: Template[] = [];
  const members: (readonly [string, Node])[] = [];
  const budget = { left: MAX_PARAMS };
  for (const [name, value] of Object.entries(given)) {
    at(name, () => members.push([checked(name), compile(value, { format, templates, budget, depth: 1 })]));
  }
  return { root: { kind: 'object', members }, templates };
}

interface Compiling {
  readonly format: ParamsFormat;
  readonly templates: Template[];
  readonly budget: { left: number };
  readonly depth: number;
}

function compile(value: unknown, compiling: Compiling): Node {
  const { format, templates, budget, depth } = compiling;
  if ((budget.left -= 1) < 0) throw new TemplateFault(`makes more than ${MAX_PARAMS} parameters`);
  if (typeof value === 'string') {
    const template = credentialTemplate(value);
    templates.push(template);
    return { kind: 'template', template };
  }
  if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'constant', value };
  if (format !== 'json')
    throw new TemplateFault('must be text, a number or a boolean: only JSON bodies nest');
  if (value === null) return { kind: 'constant', value };
  if (typeof value !== 'object') throw new TemplateFault('must be JSON');
  if (depth >= MAX_PARAM_DEPTH) throw new TemplateFault(`must not nest deeper than ${MAX_PARAM_DEPTH}`);
  const inner = { ...compiling, depth: depth + 1 };
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => compile(item, inner)) };
  if (isShownSecret(value)) throw new TemplateFault('has to be given: what is shown of a secret is not it');
  const members = Object.entries(value).map(([name, part]) => [checked(name), compile(part, inner)] as const);
  return { kind: 'object', members };
}

function checked(name: string): string {
  if (
    name === '' ||
    name.length > 128 ||
    name.includes('#{') ||
    /\p{Cc}/u.test(name) ||
    !name.isWellFormed()
  ) {
    throw new TemplateFault('has a name that is empty, too long, or a template');
  }
  return name;
}

/** The body of a POST. */
export function toBody({ root }: ParamTemplates, format: 'json' | 'form', credential: Credential): string {
  if (format === 'json') return JSON.stringify(valueOf(root, credential));
  return new URLSearchParams(pairsOf(root, credential)).toString();
}

/** The parameters of a GET, each encoded. */
export function toQuery({ root }: ParamTemplates, credential: Credential): string[] {
  return pairsOf(root, credential).map(([name, value]) => `${encodeValue(name)}=${encodeValue(value)}`);
}

function pairsOf(root: ParamTemplates['root'], credential: Credential): [string, string][] {
  return root.members.map(([name, node]) => [name, String(valueOf(node, credential))]);
}

function valueOf(node: Node, credential: Credential): unknown {
  switch (node.kind) {
    case 'template':
      return withCredential(node.template, credential);
    case 'constant':
      return node.value;
    case 'list':
      return node.items.map((item) => valueOf(item, credential));
    case 'object':
      return Object.fromEntries(node.members.map(([name, part]) => [name, valueOf(part, credential)]));
  }
}
