/** The dialog as plain forms: a browser without scripts can press its buttons. */
export function dialogPage(query: URLSearchParams): string {
  const kept = [...query]
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join('');
  const button = (decision: string, text: string) =>
    `<form method="get">${kept}<button name="decision" value="${decision}" id="${decision}">${text}</button></form>`;
  return `<!doctype html><title>Log in with Facebook</title><h1>Log in with Facebook</h1>${button('continue', 'Continue')}${button('cancel', 'Cancel')}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
