/**
 * A pickle interpreter that executes nothing: the opcodes that torch.save writes for tensors and plain
 * containers, and the names of `globals.ts`. Anything else is refused with its name and place.
 *
 * Source: CPython `Lib/pickletools.py` (opcodes and the stack machine, protocols 2 to 5); pytorch
 * `torch/_weights_only_unpickler.py` for what checkpoints need.
 */
import { quote } from '../message.ts';
import { callGlobal, findGlobal, storageOf } from './globals.ts';
import { OP, refusedName } from './opcodes.ts';
import { PickleReader } from './pickle-reader.ts';
import { COST, PickleStack } from './pickle-stack.ts';
import { ByteString, isKey, kindOf, PyDict, PyList, PyTuple, type Value } from './values.ts';

/** The longest pickle that is read; 5,500 tensors, which is what the values' budget holds, take a third of it. */
export const MAX_PICKLE_BYTES = 2 * 2 ** 20;

const MAX_OPCODES = 1_000_000;
/** Longest integer, bytes: a 64-bit seed takes 9. */
const MAX_LONG_BYTES = 16;

/**
 * The value that a pickle holds.
 *
 * @param bytes the whole pickle; whatever follows its end is refused.
 * @param source the file's name, for messages.
 * @throws FormatError
 * @example
 * unpickle(Uint8Array.of(0x80, 2, 0x4b, 7, 0x2e), 'seven'); // 7
 */
export const unpickle = (bytes: Uint8Array, source: string): Value => new Machine(bytes, source).run();

class Machine {
  readonly #in: PickleReader;
  readonly #fail: (what: string) => never;
  readonly #stack: PickleStack;

  constructor(bytes: Uint8Array, source: string) {
    this.#in = new PickleReader(bytes, source);
    this.#fail = (what) => this.#in.fail(what);
    this.#stack = new PickleStack(this.#fail);
  }

  run(): Value {
    for (let count = 0; count < MAX_OPCODES; count++) {
      const op = this.#in.opcode();
      if (op === OP.STOP) return this.#stop();
      this.#step(op);
    }
    return this.#in.fail(`more than ${MAX_OPCODES} opcodes; export the state_dict alone`);
  }

  #stop(): Value {
    const value = this.#stack.pop();
    if (!this.#stack.empty) {
      this.#in.fail('the pickle ends with values left over; it is damaged');
    }
    if (this.#in.left > 0)
      this.#in.fail(`${this.#in.left} bytes follow the end of the pickle; it is damaged`);
    return value;
  }

  #step(op: number): void {
    const input: PickleReader = this.#in;
    const stack: PickleStack = this.#stack;
    switch (op) {
      case OP.PROTO: {
        const protocol = input.u8();
        if (protocol < 2 || protocol > 5) input.fail(`pickle protocol ${protocol}; torch.save writes 2 to 5`);
        return;
      }
      case OP.FRAME: {
        const length = input.u64();
        if (length > input.left)
          input.fail(`a frame of ${length} bytes, and ${input.left} are left; it is cut short`);
        return;
      }
      case OP.MARK:
        return stack.mark();
      case OP.POP:
        return stack.drop();
      case OP.POP_MARK:
        stack.popMark();
        return;

      case OP.NONE:
        return stack.push(null);
      case OP.NEWTRUE:
        return stack.push(true);
      case OP.NEWFALSE:
        return stack.push(false);
      case OP.BININT:
        return stack.push(input.i32());
      case OP.BININT1:
        return stack.push(input.u8());
      case OP.BININT2:
        return stack.push(input.u16());
      case OP.LONG1:
        return this.#long(input.u8());
      case OP.LONG4:
        return this.#long(input.i32());
      case OP.BINFLOAT:
        stack.spend(COST.slot);
        return stack.push(input.f64());
      case OP.SHORT_BINUNICODE:
        return this.#text(input.u8());
      case OP.BINUNICODE:
        return this.#text(input.u32());
      case OP.BINUNICODE8:
        return this.#text(input.u64());
      case OP.SHORT_BINBYTES:
        return this.#byteString(input.u8());
      case OP.BINBYTES:
        return this.#byteString(input.u32());
      case OP.BINBYTES8:
        return this.#byteString(input.u64());

      case OP.EMPTY_TUPLE:
        return this.#tuple([]);
      case OP.TUPLE1:
        return this.#tuple([stack.pop()]);
      case OP.TUPLE2: {
        const second = stack.pop();
        return this.#tuple([stack.pop(), second]);
      }
      case OP.TUPLE3: {
        const third = stack.pop();
        const second = stack.pop();
        return this.#tuple([stack.pop(), second, third]);
      }
      case OP.TUPLE:
        return this.#tuple(stack.popMark());
      case OP.EMPTY_LIST:
        stack.spend(COST.container);
        return stack.push(new PyList());
      case OP.APPEND:
        return this.#append([stack.pop()]);
      case OP.APPENDS:
        return this.#append(stack.popMark());
      case OP.EMPTY_DICT:
        stack.spend(COST.container);
        return stack.push(new PyDict());
      case OP.SETITEM: {
        const value = stack.pop();
        return this.#setItems([stack.pop(), value]);
      }
      case OP.SETITEMS:
        return this.#setItems(stack.popMark());

      case OP.BINPUT:
        return stack.remember(input.u8());
      case OP.LONG_BINPUT:
        return stack.remember(input.u32());
      case OP.MEMOIZE:
        return stack.remember();
      case OP.BINGET:
        return stack.recall(input.u8());
      case OP.LONG_BINGET:
        return stack.recall(input.u32());

      case OP.GLOBAL: {
        const module = input.line();
        return stack.push(findGlobal(module, input.line(), this.#fail));
      }
      case OP.STACK_GLOBAL: {
        const name = stack.pop();
        const module = stack.pop();
        if (typeof module !== 'string' || typeof name !== 'string') {
          input.fail('STACK_GLOBAL without a module and a name; the pickle is damaged');
        }
        return stack.push(findGlobal(module, name, this.#fail));
      }
      case OP.REDUCE: {
        const args = stack.pop();
        stack.spend(COST.call);
        return stack.push(callGlobal(stack.pop(), args, this.#fail));
      }
      case OP.BUILD:
        return this.#build();
      case OP.BINPERSID:
        stack.spend(COST.call);
        return stack.push(storageOf(stack.pop(), this.#fail));
    }
    const name = refusedName(op);
    input.fail(
      name === undefined
        ? `0x${op.toString(16).padStart(2, '0')} is no opcode; the pickle is damaged`
        : `opcode ${name} is not allowed in a checkpoint, and nothing was run; export the state_dict alone, or convert it to safetensors`,
    );
  }

  #long(length: number): void {
    if (length < 0 || length > MAX_LONG_BYTES) {
      this.#in.fail(`an integer of ${length} bytes; up to ${MAX_LONG_BYTES} are read`);
    }
    const bytes = this.#in.bytes(length);
    const sign = length > 0 && bytes[length - 1] >= 128 ? 255 : 0;
    if (length <= 6) {
      let value = sign === 0 ? 0 : -(256 ** length);
      for (let i = 0; i < length; i++) value += bytes[i] * 256 ** i;
      this.#stack.spend(COST.slot);
      return this.#stack.push(value);
    }
    const wide = new DataView(new ArrayBuffer(MAX_LONG_BYTES));
    for (let i = 0; i < MAX_LONG_BYTES; i++) wide.setUint8(i, i < length ? bytes[i] : sign);
    const value = (wide.getBigInt64(8, true) << 64n) | wide.getBigUint64(0, true);
    this.#stack.spend(COST.long);
    this.#stack.push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
  }

  #text(length: number): void {
    const text = this.#in.text(length);
    this.#stack.spend(COST.text + length);
    this.#stack.push(text);
  }

  #byteString(length: number): void {
    const bytes = this.#in.bytes(length);
    this.#stack.spend(COST.bytes);
    this.#stack.push(new ByteString(bytes));
  }

  #tuple(items: Value[]): void {
    this.#stack.spend(COST.container + COST.slot * items.length);
    this.#stack.push(new PyTuple(items));
  }

  #append(items: readonly Value[]): void {
    const list = this.#stack.top();
    if (!(list instanceof PyList)) this.#in.fail(`APPEND to ${kindOf(list)}; the pickle is damaged`);
    // Twice: an array that grows keeps room for more.
    this.#stack.spend(2 * COST.slot * items.length);
    for (const item of items) list.items.push(item);
  }

  #setItems(items: readonly Value[]): void {
    const dict = this.#stack.top();
    if (!(dict instanceof PyDict)) this.#in.fail(`SETITEM of ${kindOf(dict)}; the pickle is damaged`);
    if (items.length % 2 !== 0) this.#in.fail('a key without a value; the pickle is damaged');
    this.#stack.spend((COST.entry * items.length) / 2);
    if (items.length > 0 && dict.entries.size === 0) this.#stack.spend(COST.table);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (!isKey(key)) this.#in.fail(`${kindOf(key)} is the key of a dictionary; use texts or numbers`);
      if (dict.entries.has(key)) this.#in.fail(`key ${quote(String(key))} appears twice; keep one`);
      dict.set(key, items[i + 1]);
    }
  }

  /**
   * Attributes of an object. The one that torch.save writes is the `_metadata` of a state_dict (versions of the
   * layers), which says nothing about weights: attributes of an OrderedDict are left, all others refused.
   */
  #build(): void {
    const state = this.#stack.pop();
    const target = this.#stack.top();
    const onDict = target instanceof PyDict && target.ordered;
    if (!onDict || !(state instanceof PyDict)) {
      this.#in.fail(
        `BUILD (__setstate__) of ${kindOf(target)} is not allowed in a checkpoint, and nothing was run; export the state_dict alone`,
      );
    }
    for (const name of state.entries.keys()) {
      if (typeof name !== 'string' || name.startsWith('__')) {
        this.#in.fail(
          `BUILD sets attribute ${quote(String(name))}, which is not allowed; export the state_dict alone`,
        );
      }
    }
  }
}
