/** What a person sees whose browser comes back from a provider and is not expected: late, twice, or sent by somebody else. */
const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>This sign-in is over</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem; color: #1c1c1c; background: #fff; }
  @media (prefers-color-scheme: dark) { body { color: #eee; background: #1c1c1c; } }
</style>
<main>
<h1>This sign-in is over</h1>
<p>It took too long, or this page was opened before. Nothing happened to your account.</p>
<p>Go back to the app and sign in again.</p>
</main>
</html>
`;

export const lostPage = {
  html,
  headers: {
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
  },
} as const;
