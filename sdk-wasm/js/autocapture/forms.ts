/** Forms that are submitted, without anything that was entered. */

import { scrub } from './address.ts';
import { describe, onAct } from './element.ts';
import type { Site } from './site.ts';

const FIELDS = 'input:not([type=hidden],[type=submit],[type=button],[type=reset]),select,textarea';
const MAX_NAME_CHARS = 100;

/** Tracks submits so that they outlive the page they leave. */
export function trackForms(site: Site): void {
  onAct<SubmitEvent>(site, 'submit', (path, { submitter }) => {
    const [form] = path;
    // Fields of a form hide the form's own properties where they have their names.
    const attribute = (name: string) => form.getAttribute(name)?.slice(0, MAX_NAME_CHARS);
    const action = submitter?.getAttribute('formaction') ?? form.getAttribute('action') ?? '';
    const metadata = {
      ...describe(path),
      form_id: attribute('id'),
      form_name: attribute('name'),
      form_destination: scrub(action),
      fields: form.querySelectorAll(FIELDS).length,
    };
    site.track('form_submit', metadata, 'critical');
  });
}
