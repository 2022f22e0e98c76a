// How numbers are written, by locale, as in CLDR 48. A locale that is not here has no data; "en" is the default.

export interface NumberData {
  decimal: string;
  group: string;
  /** Digits before the first group separator that a number needs to have one. */
  least: 1 | 2;
  /** What follows the number in percent. */
  percent: string;
  minus: string;
  /** Where the currency stands: before, before and a space, after a space. */
  currency: "before" | "spaced" | "after";
  /** "CODE symbol" pairs; "_" is a no-break space. Other currencies are written by their code. */
  symbols: string;
}

export const numberData: Record<string, NumberData> = {
  "en": { decimal: ".", group: ",", least: 1, percent: "%", minus: "-", currency: "before", symbols: "USD $ EUR € GBP £ JPY ¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD A$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$ PHP ₱" },
  "en-CA": { decimal: ".", group: ",", least: 1, percent: "%", minus: "-", currency: "before", symbols: "USD US$ EUR € GBP £ JPY JP¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD $ AUD A$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$ PHP ₱" },
  "en-AU": { decimal: ".", group: ",", least: 1, percent: "%", minus: "-", currency: "before", symbols: "AUD $" },
  "en-IN": { decimal: ".", group: ",", least: 1, percent: "%", minus: "-", currency: "before", symbols: "USD $ EUR € GBP £ JPY JP¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD A$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$ PHP ₱" },
  "de": { decimal: ",", group: ".", least: 1, percent: "\u00a0%", minus: "-", currency: "after", symbols: "USD $ EUR € GBP £ JPY ¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD AU$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$ THB ฿" },
  "fr": { decimal: ",", group: "\u202f", least: 1, percent: "\u00a0%", minus: "-", currency: "after", symbols: "USD $US EUR € GBP £GB INR ₹ KRW ₩ BRL R$ CAD $CA AUD $AU MXN $MX NZD $NZ ILS ₪ VND ₫" },
  "es": { decimal: ",", group: ".", least: 2, percent: "\u00a0%", minus: "-", currency: "after", symbols: "USD US$ EUR € VND ₫ THB ฿" },
  "it": { decimal: ",", group: ".", least: 2, percent: "%", minus: "-", currency: "after", symbols: "EUR € GBP £ CNY CN¥ CAD CA$ AUD A$ NZD NZ$ ILS ₪ PHP ₱ THB ฿" },
  "pt": { decimal: ",", group: ".", least: 1, percent: "%", minus: "-", currency: "spaced", symbols: "USD US$ EUR € GBP £ JPY JP¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD AU$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$ THB ฿" },
  "nl": { decimal: ",", group: ".", least: 1, percent: "%", minus: "-", currency: "spaced", symbols: "USD US$ EUR € GBP £ JPY JP¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD C$ AUD AU$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$ THB ฿" },
  "sv": { decimal: ",", group: "\u00a0", least: 1, percent: "\u00a0%", minus: "\u2212", currency: "after", symbols: "USD US$ EUR € BRL BR$ CAD CA$ MXN MX$ ILS ₪ SEK kr NOK Nkr DKK Dkr" },
  "da": { decimal: ",", group: ".", least: 1, percent: "\u00a0%", minus: "-", currency: "after", symbols: "USD US$ EUR € GBP £ JPY JP¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD AU$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$ DKK kr. THB ฿" },
  "nb": { decimal: ",", group: "\u00a0", least: 1, percent: "\u00a0%", minus: "\u2212", currency: "after", symbols: "EUR € GBP £ NOK kr" },
  "fi": { decimal: ",", group: "\u00a0", least: 1, percent: "\u00a0%", minus: "\u2212", currency: "after", symbols: "USD $ EUR € GBP £ JPY ¥" },
  "pl": { decimal: ",", group: "\u00a0", least: 2, percent: "%", minus: "-", currency: "after", symbols: "EUR € BRL R$ PLN zł" },
  "cs": { decimal: ",", group: "\u00a0", least: 1, percent: "\u00a0%", minus: "-", currency: "after", symbols: "USD US$ EUR € GBP £ JPY JP¥ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD AU$ MXN MX$ NZD NZ$ HKD HK$ TWD NT$ CZK Kč" },
  "ja": { decimal: ".", group: ",", least: 1, percent: "%", minus: "-", currency: "before", symbols: "USD $ EUR € GBP £ JPY ￥ INR ₹ CNY 元 KRW ₩ BRL R$ CAD CA$ AUD A$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$" },
  "ko": { decimal: ".", group: ",", least: 1, percent: "%", minus: "-", currency: "before", symbols: "USD US$ EUR € GBP £ JPY JP¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD AU$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$" },
  "zh": { decimal: ".", group: ",", least: 1, percent: "%", minus: "-", currency: "before", symbols: "USD US$ EUR € GBP £ JPY JP¥ INR ₹ CNY ¥ KRW ₩ BRL R$ CAD CA$ AUD AU$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ VND ₫ TWD NT$" },
};

export const narrowSymbols: Record<string, string> = {
  USD: "$", CAD: "$", AUD: "$", MXN: "$", NZD: "$", HKD: "$", TWD: "$", EUR: "€", GBP: "£", JPY: "¥", CNY: "¥", INR: "₹", KRW: "₩", BRL: "R$",
  ILS: "₪", VND: "₫", PHP: "₱", SEK: "kr", NOK: "kr", DKK: "kr", PLN: "zł", CZK: "Kč", THB: "฿",
};

/** Digits after the decimal separator by ISO 4217, where they are not 2. */
export const currencyDigits: Record<string, number> = {};
for (const code of "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ")) currencyDigits[code] = 0;
for (const code of "BHD IQD JOD KWD LYD OMR TND".split(" ")) currencyDigits[code] = 3;

/** Joins of ListFormat: before the last of three and more, and of two. */
export const listData: Record<string, { conjunction: [string, string]; disjunction: [string, string] }> = {
  "en": { conjunction: [", and ", " and "], disjunction: [", or ", " or "] },
  "en-GB": { conjunction: [" and ", " and "], disjunction: [" or ", " or "] },
  "de": { conjunction: [" und ", " und "], disjunction: [" oder ", " oder "] },
  "fr": { conjunction: [" et ", " et "], disjunction: [" ou ", " ou "] },
  "nl": { conjunction: [" en ", " en "], disjunction: [" of ", " of "] },
  "pt": { conjunction: [" e ", " e "], disjunction: [" ou ", " ou "] },
  "sv": { conjunction: [" och ", " och "], disjunction: [" eller ", " eller "] },
  "da": { conjunction: [" og ", " og "], disjunction: [" eller ", " eller "] },
};

export const months = "January February March April May June July August September October November December".split(" ");
export const weekdays = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
