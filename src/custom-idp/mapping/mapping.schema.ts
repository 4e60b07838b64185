import { z } from 'zod';
import { jsonOption } from './json-option.js';
import {
  findTarget,
  MAX_ATTRIBUTES,
  valueTypes,
  type MappingTarget,
  type ValueType,
} from './mapping-target.js';
import { parseTemplate, placeholdersOf, TemplateFault, type Template } from './template.js';

/** One field of the user and where it comes from. */
export interface MappedField {
  readonly target: MappingTarget;
  readonly source: { readonly template: Template } | { readonly constant: unknown };
  /** Whether a person without it is turned away. */
  readonly required: boolean;
  readonly type: ValueType | undefined;
  readonly maxLength: number | undefined;
}

/** A definition's mapping, ready to be applied. `uid` is in it, and first. */
export interface Mapping {
  readonly fields: readonly [MappedField, ...MappedField[]];
}

const ruleSchema = z.strictObject({
  template: z.string(),
  required: z.boolean().default(false),
  type: z.enum(valueTypes).optional(),
  max_length: z.number().int().min(1).max(5000).optional(),
});
type Rule = z.output<typeof ruleSchema>;

const constantSchema = z.union([z.number(), z.boolean(), z.array(z.union([z.string(), z.number()])).max(50)]);

/** @throws TemplateFault with what is wrong, for the operator. */
type Compile<Output> = () => Output;

/**
 * A definition's `mapping`: an object, or the JSON text of one, from fields of the user to templates, constants, or
 * templates with rules. A field that is mapped to null is not filled, even where `defaults` would.
 *
 * @param defaults templates of fields that the definition does not map; without a `uid` among them it has to map one.
 */
export function mappingSchema(defaults: Readonly<Record<string, string>> = {}): z.ZodType<Mapping> {
  return z.unknown().transform((value, context) => {
    const given = jsonOption(value);
    if (!given) {
      context.addIssue({ code: 'custom', message: 'must be an object, or the JSON text of one' });
      return z.NEVER;
    }
    const fields = new Map<string, MappedField | null>();
    const collect = (
      name: string,
      compile: Compile<MappedField | null>,
      isNamed: (target: string) => boolean,
    ) => {
      try {
        const target = targetOf(name);
        if (isNamed(target.name)) return;
        fields.set(target.name, compile());
      } catch (fault) {
        if (!(fault instanceof TemplateFault)) throw fault;
        context.addIssue({ code: 'custom', path: [name.slice(0, 80)], message: fault.message });
      }
    };
    for (const [name, source] of Object.entries(given)) {
      collect(
        name,
        () => compileField(targetOf(name), source),
        (target) => {
          if (fields.has(target)) throw new TemplateFault('names a field that is mapped already');
          return false;
        },
      );
    }
    for (const [name, template] of Object.entries(defaults)) {
      collect(
        name,
        () => compileField(targetOf(name), template),
        (target) => fields.has(target),
      );
    }
    return completed([...fields.values()], context);
  });
}

function completed(given: readonly (MappedField | null)[], context: z.RefinementCtx): Mapping {
  const fields = given.filter((field) => field !== null);
  const uid = fields.find(({ target }) => target.name === 'uid');
  const fault = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (fields.filter(isAttribute).length > MAX_ATTRIBUTES) {
    fault([], `maps more than ${MAX_ATTRIBUTES} attributes`);
  }
  if (uid) return { fields: [uid, ...fields.filter((field) => field !== uid)] };
  if (context.issues.length === 0) fault(['uid'], 'must be mapped: by it a person is known');
  return z.NEVER;
}

export function isAttribute({ target }: MappedField): boolean {
  return target.name.startsWith('attributes.');
}

function targetOf(name: string): MappingTarget {
  const target = findTarget(name);
  if (typeof target === 'string') throw new TemplateFault(target);
  return target;
}

function compileField(target: MappingTarget, source: unknown): MappedField | null {
  if (source === null && target.name !== 'uid') return null;
  const { template, required, type, max_length: maxLength } = ruleOf(source);
  const field = { target, required: required || target.name === 'uid', type, maxLength };
  if (type !== undefined && !target.types.includes(type)) {
    throw new TemplateFault(`can be ${target.types.join(' or ')}`);
  }
  if (typeof template !== 'string') return { ...field, source: constantOf(target, template) };
  const parsed = parseTemplate(template);
  const placeholders = placeholdersOf(parsed);
  // One text for everybody would make everybody one person.
  if (target.name === 'uid' && placeholders.length === 0)
    throw new TemplateFault('must come from the answer');
  if (target.name === 'uid' && placeholders.some(({ fallback }) => fallback !== undefined)) {
    throw new TemplateFault('must not have a default: everybody without an id would be one person');
  }
  return placeholders.length === 0
    ? { ...field, source: constantOf(target, template) }
    : { ...field, source: { template: parsed } };
}

function ruleOf(source: unknown): Omit<Rule, 'template'> & { readonly template: unknown } {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    return { template: source, required: false, type: undefined, max_length: undefined };
  }
  const rule = ruleSchema.safeParse(source);
  if (rule.success) return rule.data;
  throw new TemplateFault(
    'must be a template, or an object with template, and required, type and max_length',
  );
}

function constantOf(target: MappingTarget, value: unknown): { readonly constant: unknown } {
  if (target.name === 'uid') throw new TemplateFault('must come from the answer');
  const isConstant = typeof value === 'string' || constantSchema.safeParse(value).success;
  if (!isConstant || JSON.stringify(value).includes('#{')) {
    throw new TemplateFault(
      'must be a template, a number, a boolean, or a list of texts without placeholders',
    );
  }
  if (!target.fits.safeParse(value).success) throw new TemplateFault(`must be ${target.wants}`);
  return { constant: value };
}
