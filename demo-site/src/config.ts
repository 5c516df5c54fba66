/** What the server says about this demo: the write key, where its outage switch is, where its rule files are. */

export interface DemoConfig {
  readonly write_key: string;
  /** Address that can stop the collector for a while; absent when nobody supervises it. */
  readonly control: string | null;
  /** Folder of the rule files, as a person would open it. */
  readonly rules_dir: string | null;
}

const WITHOUT_SERVER: DemoConfig = { write_key: 'demo', control: null, rules_dir: null };

/** Asks the server; a server that knows nothing of the demo gets the plain shop. */
export async function loadConfig(): Promise<DemoConfig> {
  try {
    const response = await fetch('/demo/config.json');
    return response.ok ? { ...WITHOUT_SERVER, ...(await response.json()) } : WITHOUT_SERVER;
  } catch {
    return WITHOUT_SERVER;
  }
}
