/** Errors that a page can tell apart by their stable code. */

/** Whose doing an error is: `usage` is the caller's mistake, `environment` is the world's weather. */
export type AttuneErrorKind = 'usage' | 'environment';

/** An error of Attune. It is thrown by `init` only; everything later reaches `onError`. */
export class AttuneError extends Error {
  override readonly name = 'AttuneError';
  /** Stable name of what went wrong, such as `option_invalid` or `storage_blocked`. */
  readonly code: string;
  /** Whose doing it is. */
  readonly kind: AttuneErrorKind;

  constructor(code: string, message: string, kind: AttuneErrorKind = 'environment', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.kind = kind;
  }
}

/** The caller's mistake. */
export function usageError(code: string, message: string, cause?: unknown): AttuneError {
  return new AttuneError(code, message, 'usage', cause);
}
