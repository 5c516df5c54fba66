/** The cookies that the page's scripts may see; where the browser blocks them there are none. */

/** All of them as the browser writes them, after one has been set where it is given. */
export function cookies(set?: string): string {
  try {
    // biome-ignore lint/suspicious/noDocumentCookie: what takes its place answers in a later task
    if (set) document.cookie = set;
    return document.cookie;
  } catch {
    return '';
  }
}

/** Deletes a cookie that a server has set for a domain, and one of the host's own, which would stand beside it. */
export function expire(name: string, domain: string): void {
  for (const of of ['', domain]) cookies(`${name};path=/;max-age=0;domain=${of}`);
}
