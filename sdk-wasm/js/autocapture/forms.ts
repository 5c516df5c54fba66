/** Forms that are submitted, without anything that was entered. */

import { scrub } from './address.ts';
import { attributeOf, describe, onAct } from './element.ts';
import type { Site } from './site.ts';

const FIELDS = 'input:not([type=hidden],[type=submit],[type=button],[type=reset]),select,textarea';
const MAX_NAME_CHARS = 100;

/** Tracks submits so that they outlive the page they leave. */
export function trackForms(site: Site): void {
  onAct<SubmitEvent>(site, 'submit', (path, { submitter }) => {
    const [form] = path;
    const attribute = (name: string) => attributeOf(form, name).slice(0, MAX_NAME_CHARS) || undefined;
    const action = submitter?.getAttribute('formaction') ?? attributeOf(form, 'action');
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
