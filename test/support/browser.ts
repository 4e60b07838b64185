import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type Frame,
  type Page,
  type Request,
} from 'playwright-core';

/** What a browser does beside showing pages would be noise between the requests of a test. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium without a window, with a new and empty profile. @throws where there is none: what to install. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => join(folder, 'chromium'))
    .find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error(
      'These tests drive a real browser, and there is no `chromium` on the PATH. ' +
        'Install it: apt-get install --no-install-recommends chromium',
    );
  }
  return chromium.launch({ executablePath, args: QUIET });
}

const PAGE_MILLISECONDS = 15_000;

/** A browser of somebody: nothing of anybody else is remembered in it. */
export class Visitor {
  private constructor(
    readonly page: Page,
    readonly traffic: BrowserTraffic,
    /** What its pages threw. */
    readonly pageErrors: readonly Error[],
  ) {}

  static async arrive(browser: Browser): Promise<Visitor> {
    const context = await browser.newContext();
    context.setDefaultTimeout(PAGE_MILLISECONDS);
    const traffic = new BrowserTraffic(context);
    const page = await context.newPage();
    const pageErrors: Error[] = [];
    page.on('pageerror', (error) => void pageErrors.push(error));
    return new Visitor(page, traffic, pageErrors);
  }

  leave(): Promise<void> {
    return this.page.context().close();
  }
}

/** Everything that a browser asked for: what whoever sees its addresses, or the Referer of its requests, gets to know. */
export class BrowserTraffic {
  /** As servers, proxies and the history have them; where a page was shown, with the fragment. */
  readonly urls: string[] = [];
  readonly bodies: string[] = [];
  private readonly headers: Promise<Record<string, string>>[] = [];

  constructor(context: BrowserContext) {
    context.on('request', (request: Request) => {
      this.urls.push(request.url());
      this.bodies.push(request.postData() ?? '');
      this.headers.push(request.allHeaders());
    });
    context.on('page', (page) =>
      page.on('framenavigated', (frame: Frame) => void this.urls.push(frame.url())),
    );
  }

  /** The Referer of each request that had one. */
  async referrers(): Promise<string[]> {
    const headers = await Promise.all(this.headers);
    return headers.flatMap(({ referer }) => (referer === undefined ? [] : [referer]));
  }
}
