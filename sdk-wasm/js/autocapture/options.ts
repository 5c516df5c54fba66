/** The options of `autocapture`: one for each kind, which says whether it is tracked and how. */

/** Which kinds are tracked. `true` takes a kind with its defaults, `false` leaves it out. */
export interface AutocaptureOptions {
  /**
   * `page_view` at the start, after each change of path or query, and when the back/forward cache gives the page back; not
   * where an address is replaced by one with the same path.
   * Where a site calls `attune.page()` itself, this is to be `false`.
   * @defaultValue `true`
   */
  pageViews?: boolean | PageViewOptions;
  /**
   * `click` on links, buttons and other controls, on whatever has `data-attune`, and on what shows a pointing hand.
   * @defaultValue `true`
   */
  clicks?: boolean | ClickOptions;
  /**
   * `form_submit`, never with a value that was entered.
   * @defaultValue `true`
   */
  forms?: boolean;
  /**
   * `scroll` at 25, 50, 75 and 100 % of the page's height, each once a page view.
   * @defaultValue `true`
   */
  scroll?: boolean;
  /**
   * `rage_click` for three clicks within a second and 30 px.
   * @defaultValue `true`
   */
  rageClicks?: boolean;
  /**
   * `outbound_click` on links to other hosts.
   * @defaultValue `true`
   */
  outboundLinks?: boolean;
  /**
   * `file_download` on links to files.
   * @defaultValue `true`
   */
  downloads?: boolean | DownloadOptions;
  /**
   * `exception` for errors and rejections that nobody catches: up to 10 different ones a page load. Their messages are
   * the page's own and may say anything, hence off.
   * @defaultValue `false`
   */
  errors?: boolean;
  /**
   * `web_vital` for LCP, INP, CLS, FCP and TTFB; what measures them is loaded only then.
   * @defaultValue `false`
   */
  webVitals?: boolean;
}

/** How page views are counted. */
export interface PageViewOptions {
  /**
   * Whether a change of the fragment alone is a page view too, as where a router works with `#/path`.
   * @defaultValue `false`
   */
  hash?: boolean;
}

/** What is told of clicks. */
export interface ClickOptions {
  /**
   * Whether the text of a link or button is told, up to 60 characters and without what is below `data-attune-mask`.
   * @defaultValue `false`
   */
  text?: boolean;
}

/** What counts as a download. */
export interface DownloadOptions {
  /**
   * Endings of files, without the dot and in small letters. Links with a `download` attribute count whatever they end in.
   * @defaultValue 7z csv dmg doc docx epub exe gz key mov mp3 mp4 msi odp ods odt pdf pkg ppt pptx rar rtf tar txt wav xls
   * xlsx zip
   */
  extensions?: readonly string[];
}

/** The name of a kind. */
export type Kind = keyof AutocaptureOptions;

/** What a kind's own listener is told: nothing where it is taken with its defaults. */
export type Details<Name extends Kind> = Exclude<AutocaptureOptions[Name], boolean | undefined>;
