/**
 * The tokens of a JSON text, read byte by byte through a window, strictly (RFC 8259, UTF-8).
 *
 * `JSON.parse` does not do for a header that may lie: it takes the last of two equal keys, rounds integers
 * beyond 2^53, and builds everything before anything can be checked. This scanner keeps nothing: a string is
 * a range of bytes until somebody asks for its text, so that the memory it takes does not depend on the file.
 */

/** Where the bytes come from. Offsets count from the start of the JSON text. */
export interface ByteSource {
  readonly length: number;
  /** Some bytes from `offset` on: at least one, and none beyond `length`. Valid until the next call. */
  window(offset: number): Uint8Array;
}

/** A string token: the bytes between its quotes, and whether there are escapes among them. */
export interface StringToken {
  readonly start: number;
  readonly end: number;
  readonly escaped: boolean;
}

/** A JSON text that is not one; `at` counts bytes from its start. The caller says in which file. */
export class JsonSyntaxError extends Error {
  readonly at: number;
  constructor(what: string, at: number) {
    super(what);
    this.at = at;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const END = -1;

const isWhitespace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
/** Digits, signs, the point and the exponent's e. */
const isOfNumber = (byte: number) =>
  isDigit(byte) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x65 || byte === 0x45;
const show = (byte: number) =>
  byte > 0x20 && byte < 0x7f
    ? `'${String.fromCharCode(byte)}'`
    : `byte 0x${byte.toString(16).padStart(2, '0')}`;

/** 1 where a byte of a string stands for itself: ASCII but for the quote, the backslash and controls. */
const PLAIN = new Uint8Array(256).fill(1, 0x20, 0x80);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** Keeps a byte order mark, which is a character like any other inside a string. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class JsonScanner {
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #base = 0;
  #index = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#base + this.#index;
  }

  fail(what: string, at = this.position): never {
    throw new JsonSyntaxError(what, at);
  }

  /** The next byte, or -1 at the end. */
  #peek(): number {
    if (this.#index >= this.#window.length) {
      this.#base += this.#window.length;
      this.#index = 0;
      this.#window =
        this.#base < this.#source.length ? this.#source.window(this.#base) : this.#window.subarray(0, 0);
      if (this.#window.length === 0) return END;
    }
    return this.#window[this.#index];
  }

  #next(): number {
    const byte = this.#peek();
    if (byte !== END) this.#index++;
    return byte;
  }

  #unexpected(byte: number, expected: string): never {
    if (byte === END) this.fail(`the text ends where ${expected} is due`);
    if (byte >= 0x80) this.fail(`${show(byte)} where ${expected} is due: no JSON, or no UTF-8`);
    this.fail(`${show(byte)} where ${expected} is due`);
  }

  /** Skips white space and tells which byte comes next (-1: none). */
  ahead(): number {
    for (;;) {
      const byte = this.#peek();
      if (!isWhitespace(byte)) return byte;
      this.#index++;
    }
  }

  /** Takes `char` after white space, when it comes next. */
  take(char: string): boolean {
    if (this.ahead() !== char.charCodeAt(0)) return false;
    this.#index++;
    return true;
  }

  /** Takes `char` after white space, or fails naming what was `expected`. */
  expect(char: string, expected = `'${char}'`): void {
    if (!this.take(char)) this.#unexpected(this.#peek(), expected);
  }

  /** Nothing but white space may follow. */
  end(): void {
    const byte = this.ahead();
    if (byte !== END) this.#unexpected(byte, 'the end');
  }

  /** A string, with its escapes and its UTF-8 checked. */
  string(expected = 'a string'): StringToken {
    this.expect('"', expected);
    const start = this.position;
    let escaped = false;
    for (;;) {
      const byte = this.#peek();
      if (byte === END) this.fail('the text ends inside a string', start);
      if (byte === QUOTE) {
        const end = this.position;
        this.#index++;
        return { start, end, escaped };
      }
      if (byte === BACKSLASH) {
        escaped = true;
        this.#index++;
        this.#escape();
      } else if (byte >= 0x80) {
        this.#multibyte();
      } else if (byte < 0x20) {
        this.fail(`control character ${show(byte)} inside a string; write it as an escape`);
      } else {
        // A tight loop: nearly all bytes of a large header come by here.
        const window = this.#window;
        let i = this.#index + 1;
        while (i < window.length && PLAIN[window[i]] === 1) i++;
        this.#index = i;
      }
    }
  }

  /** What follows a backslash. */
  #escape(): void {
    const at = this.position - 1;
    const byte = this.#next();
    if (byte === END || !'"\\/bfnrtu'.includes(String.fromCharCode(byte))) this.fail('no such escape', at);
    if (byte !== 0x75) return;
    const unit = this.#hex4(at);
    if (unit < 0xd800 || unit > 0xdfff) return;
    // Halves of a surrogate pair come in order and together, or they are no text.
    const paired = unit < 0xdc00 && this.#next() === BACKSLASH && this.#next() === 0x75;
    const low = paired ? this.#hex4(at) : 0;
    if (low < 0xdc00 || low > 0xdfff) this.fail('half of a surrogate pair', at);
  }

  #hex4(at: number): number {
    let unit = 0;
    for (let i = 0; i < 4; i++) {
      const digit = Number.parseInt(String.fromCharCode(Math.max(0, this.#next())), 16);
      if (Number.isNaN(digit)) this.fail('\\u without four hexadecimal digits', at);
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** One character of two to four bytes (Unicode 15, table 3-7: no overlong forms, surrogates, or > U+10FFFF). */
  #multibyte(): void {
    const at = this.position;
    const lead = this.#next();
    const rest =
      lead >= 0xc2 && lead <= 0xdf
        ? 1
        : lead >= 0xe0 && lead <= 0xef
          ? 2
          : lead >= 0xf0 && lead <= 0xf4
            ? 3
            : 0;
    let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    for (let i = 0; i < rest; i++) {
      const byte = this.#next();
      if (byte < low || byte > high) this.fail('text that is not UTF-8', at);
      low = 0x80;
      high = 0xbf;
    }
    if (rest === 0) this.fail(`${show(lead)} is not UTF-8`, at);
  }

  /** A natural number that a double holds exactly; what else JSON calls a number is refused. */
  natural(what: string): number {
    const first = this.ahead();
    const at = this.position;
    if (first !== 0x2d && !isDigit(first)) this.#unexpected(first, `a number of ${what}`);
    // 2^53 - 1 has 16 digits; a few more show in the message what was meant.
    let literal = '';
    while (literal.length < 24 && isOfNumber(this.#peek())) literal += String.fromCharCode(this.#next());
    if (literal.startsWith('-')) this.fail(`${what} has ${literal}; it must be 0 or more`, at);
    if (!/^(0|[1-9]\d*)$/.test(literal)) {
      this.fail(`${what} has ${literal}; it must be written in digits alone, without leading zeros`, at);
    }
    const value = Number(literal);
    if (value > Number.MAX_SAFE_INTEGER) {
      this.fail(`${what} has ${literal}, beyond 2^53 - 1: no file has that many bytes`, at);
    }
    return value;
  }

  /** The text of a string token, which has been checked: decoding cannot fail. */
  text(token: StringToken): string {
    const raw = decoder.decode(this.#bytes(token));
    return token.escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  /** Whether a string token stands for `ascii`; takes no memory where the token has no escapes. */
  matches(token: StringToken, ascii: string): boolean {
    const from = token.start - this.#base;
    if (token.escaped || from < 0)
      return token.end - token.start <= 6 * ascii.length && this.text(token) === ascii;
    if (token.end - token.start !== ascii.length) return false;
    for (let i = 0; i < ascii.length; i++) {
      if (this.#window[from + i] !== ascii.charCodeAt(i)) return false;
    }
    return true;
  }

  #bytes({ start, end }: StringToken): Uint8Array {
    const from = start - this.#base;
    if (from >= 0 && end - this.#base <= this.#window.length) {
      return this.#window.subarray(from, end - this.#base);
    }
    const bytes = new Uint8Array(end - start);
    for (let at = start; at < end;) {
      const part = this.#source.window(at).subarray(0, end - at);
      bytes.set(part, at - start);
      at += part.length;
    }
    // The source has given its window away: fetch it again before the next token.
    this.#base = this.position;
    this.#index = 0;
    this.#window = new Uint8Array(0);
    return bytes;
  }
}
