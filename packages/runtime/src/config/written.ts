/** A scalar that YAML makes something else than text of (a number, a truth value, nothing), with the text that was written. */
export class Written {
  readonly text: string;
  readonly value: number | boolean | null;

  constructor(text: string, value: number | boolean | null) {
    this.text = text;
    this.value = value;
  }
}
