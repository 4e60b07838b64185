type Json = Record<string, unknown>;

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary: string;
  readonly security: readonly Json[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly (Schema & { readonly title?: string })[];
}

/** A page that reads well without scripts, fonts or anything from elsewhere: `default-src 'none'` holds for it. */
export function renderDocs(openApi: Json): string {
  const { info, paths } = openApi as unknown as Document;
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const rows = routes.map(
    ({ path, method, operation }) =>
      `<tr><td><b class="m ${method}">${method}</b></td><td><a href="#${anchor(method, path)}"><code>${escape(path)}</code></a></td><td>${escape(operation.summary)}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(info.title)} API</title><style>${STYLE}</style></head><body><main>
<h1>${escape(info.title)} API <small>${escape(info.version)}</small></h1><p>${escape(info.description)} The machine-readable form is <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<table>${rows.join('')}</table>${routes.map(renderRoute).join('')}</main></body></html>`;
}

function renderRoute({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}): string {
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const query = (operation.parameters ?? []).map(
    ({ name, in: place }) => `<code>${escape(name)}</code> (${place})`,
  );
  const answers = Object.entries(operation.responses).map(
    ([status, { description }]) => `<tr><td><b>${status}</b></td><td>${escape(description)}</td></tr>`,
  );
  return `<section id="${anchor(method, path)}"><h2><b class="m ${method}">${method}</b> <code>${escape(path)}</code></h2>
<p>${escape(operation.summary)}. <i>${escape(authText(operation.security))}</i></p>
${query.length > 0 ? `<p>Parameters: ${query.join(', ')}</p>` : ''}${body ? `<h3>Body</h3>${renderFields(body)}` : ''}<h3>Answers</h3><table>${answers.join('')}</table></section>`;
}

function authText(security: readonly Json[]): string {
  const words: Record<string, string> = {
    session: 'a session token (Bearer)',
    application: 'auth_key and auth_secret (HTTP Basic)',
    admin: 'an admin key (Bearer)',
  };
  const ways = security.map((way) => {
    const [scheme, roles] = Object.entries(way)[0] ?? [];
    const credentials = words[scheme ?? ''] ?? 'application_id and auth_key in the body';
    const role = (roles as readonly string[] | undefined)?.[0];
    return role === undefined ? credentials : `${credentials} with the role ${role} or a higher one`;
  });
  return ways.length > 0 ? `Needs ${ways.join(' or ')}.` : 'Needs no credentials.';
}

function renderFields(schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const choices = (field.anyOf ?? [])
      .filter(({ title }) => title !== undefined)
      .map((choice) => `<h4>${escape(choice.title!)}</h4>${renderFields(choice)}`);
    const values = choices.length > 0 ? 'object' : valuesText(field);
    const needed = schema.required?.includes(name) ? '<b>required</b>' : '';
    return `<tr><td><code>${escape(name)}</code></td><td>${escape(values)}</td><td>${needed}</td><td>${escape(field.description ?? '')}${choices.join('')}</td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

function valuesText({ enum: words, type, anyOf }: Schema): string {
  if (words) return `one of ${words.map(String).join(', ')}`;
  if (anyOf) return anyOf.map(valuesText).join(' or ');
  return typeof type === 'string' ? type : (type ?? []).join(' or ');
}

function anchor(method: string, path: string): string {
  return `${method}${path.replace(/[^a-z0-9]+/gi, '-')}`.toLowerCase();
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

const STYLE = `:root{color-scheme:light dark;--line:light-dark(#ddd,#444)}body{font:16px/1.5 system-ui,sans-serif;margin:0}
main{max-width:60rem;margin:auto;padding:1rem}table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.35rem .5rem;vertical-align:top}
section{margin-top:2.5rem}h2{font-size:1.2rem}h3{font-size:1rem;margin:.8rem 0 .2rem}h4{margin:.4rem 0 0}code{font:.9em ui-monospace,monospace}
.m{font:700 .8em ui-monospace,monospace;padding:.1rem .4rem;border-radius:.3rem;color:#fff;background:#456}.GET{background:#1a6b3c}.POST{background:#1f5fa8}.PUT{background:#8a5a00}.DELETE{background:#a82a2a}`;
