/** The scores of spoken digits as bars, and the digits that were heard. */
import { scope } from 'statewave/web';
import { DIGITS, HEARING, WORDS } from './digits.ts';

export class DigitsView {
  readonly #bars: readonly {
    readonly item: HTMLLIElement;
    readonly bar: HTMLElement;
    readonly level: HTMLElement;
  }[];
  readonly #hearing: HTMLElement;
  readonly #words: HTMLElement;
  #heard = 0;

  constructor(scores: HTMLElement, hearing: HTMLElement, words: HTMLElement) {
    this.#hearing = hearing;
    this.#words = words;
    this.#bars = Array.from({ length: DIGITS }, (_, digit) => {
      const item = document.createElement('li');
      const bar = document.createElement('div');
      const level = document.createElement('div');
      bar.role = 'meter';
      bar.ariaLabel = `${digit}`;
      bar.ariaValueMin = '0';
      bar.ariaValueMax = '100';
      bar.append(level);
      item.append(bar, `${digit}`);
      scores.append(item);
      return { item, bar, level };
    });
  }

  show(): void {
    this.#heard = 0;
    this.#words.textContent = '';
    this.#hearing.textContent = 'Say a digit in English: zero to nine.';
  }

  /** @param numbers the scope. */
  draw(numbers: Float32Array): void {
    const words = numbers[scope.RESULTS + WORDS]!;
    const isHearing = numbers[scope.RESULTS + HEARING] === 1;
    if (!isHearing && words === 0) return;
    const scores = Array.from(numbers.subarray(scope.RESULTS, scope.RESULTS + DIGITS));
    const highest = Math.max(...scores);
    const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
    const best = scores.indexOf(highest);
    this.#bars.forEach(({ item, bar, level }, digit) => {
      const percent = (100 * Math.exp(scores[digit]! - highest)) / sum;
      bar.ariaValueNow = percent.toFixed(0);
      level.style.height = `${percent}%`;
      item.classList.toggle('best', digit === best);
    });
    this.#hearing.textContent = isHearing ? 'Listening to a word …' : `Heard ${best}.`;
    if (words <= this.#heard) return;
    this.#heard = words;
    this.#words.textContent = `${this.#words.textContent}${best}`.slice(-12);
  }
}
