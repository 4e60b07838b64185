/** Some fifty thousand passwords by how often leaks have them; read when the first password is chosen. */
let list: Promise<ReadonlySet<string>> | undefined;

/** @returns whether a password, in lower case, is among those that are tried first. */
export async function commonPasswords(): Promise<(lowerCase: string) => boolean> {
  list ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].map((password) => password.toLowerCase())),
  );
  const known = await list;
  return (lowerCase) => known.has(lowerCase);
}
