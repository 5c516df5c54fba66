/** The inline snippet: keeps calls, with id and time fixed, until the script it loads takes them over. */

declare const ATTUNE_SCRIPT_URL: string;
declare const ATTUNE_WRITE_KEY: string;

const page = window as unknown as { attune?: unknown };

if (!page.attune) {
  const calls = [] as unknown as unknown[][] & Record<string, unknown>;
  page.attune = calls;
  for (const method of 'track page identify group reset setContext consent onDecision onError flush'.split(
    ' ',
  )) {
    calls[method] = (...values: unknown[]) => {
      const ms = Date.now();
      const time = ms.toString(16).padStart(12, '0');
      const random = crypto.getRandomValues(new Uint8Array(32));
      const tail = '-7xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, (_, at: number) =>
        ((random[at] ?? 0) & 15).toString(16),
      );
      const id = `${time.slice(0, 8)}-${time.slice(8)}${tail}`;
      const call: unknown[] = [method, values, id, ms];
      calls.push(call);
      if (method[1] !== 'n') return id;
      return () => {
        if (call[4]) (call[4] as () => void)();
        else call[0] = '';
      };
    };
  }
  const script = document.createElement('script');
  script.async = true;
  script.src = ATTUNE_SCRIPT_URL;
  script.dataset.writeKey = ATTUNE_WRITE_KEY;
  document.head.append(script);
}
