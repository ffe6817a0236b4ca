import { UnderstudyError } from "./errors.js";

/** Build a path. The values are escaped, so that an ID cannot add segments or a query. */
export function path(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  const escaped = values.map((value) => encodeURIComponent(value));
  if (escaped.some((value) => /^\.{0,2}$/.test(value))) {
    throw new UnderstudyError("An ID in the request is empty or not valid. Pass the ID that the service returned.");
  }
  return String.raw({ raw: parts }, ...escaped);
}
