import type { ApiClient } from './api-client.js';

/** A route as the API description has it. */
export interface DescribedRoute {
  readonly method: string;
  /** With `{name}` for parameters. */
  readonly path: string;
  /** Names of the members its body may have; null: it takes no body. */
  readonly members: readonly string[] | null;
  /** Whether it answers people: with pages instead of problems. */
  readonly isPage: boolean;
  /** Whether its refusals are problem details. */
  readonly answersProblems: boolean;
  /** Whether it asks for credentials. */
  readonly isGuarded: boolean;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly properties?: object } }>>;
  };
}

/** Every route of every face, so that what tests them covers those of tomorrow. */
export async function describedRoutes(api: ApiClient): Promise<DescribedRoute[]> {
  const { paths } = (await api.get<OpenApi>('/openapi.json')).body;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { requestBody, responses, security }]) => ({
      method: method.toUpperCase(),
      path,
      members: requestBody
        ? Object.keys(Object.values(requestBody.content)[0]?.schema.properties ?? {})
        : null,
      isPage: Object.values(responses).some(({ content = {} }) => 'text/html' in content),
      answersProblems: Object.values(responses).some(
        ({ content = {} }) => 'application/problem+json' in content,
      ),
      isGuarded: security.length > 0,
    })),
  );
}
