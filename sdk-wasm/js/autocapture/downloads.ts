/** Links that lead to files. */

import { scrub } from './address.ts';
import { describe, isMasked } from './element.ts';
import { onLink } from './links.ts';
import type { DownloadOptions } from './options.ts';
import type { Site } from './site.ts';

const EXTENSIONS =
  '7z csv dmg doc docx epub exe gz key mov mp3 mp4 msi odp ods odt pdf pkg ppt pptx rar rtf tar txt wav xls xlsx zip';
const MAX_NAME_CHARS = 100;

/** Tracks them so that they outlive a page that is left for one. */
export function trackDownloads(site: Site, { extensions = EXTENSIONS.split(' ') }: DownloadOptions): void {
  onLink(site, (link, path) => {
    // What a script has made has its name in the attribute alone.
    const name = link.download || link.pathname.replace(/.*\//, '');
    const [, extension = ''] = /\.(\w{1,10})$/.exec(name.toLowerCase()) ?? [];
    if (!link.hasAttribute('download') && !extensions.includes(extension)) return;
    const told = { file_name: name.slice(0, MAX_NAME_CHARS), link_url: scrub(link.href) };
    const metadata = { ...describe(path), file_extension: extension, ...(!isMasked(path) && told) };
    site.track('file_download', metadata, 'critical');
  });
}
