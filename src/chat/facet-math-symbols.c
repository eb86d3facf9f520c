#define G_LOG_DOMAIN "facet"

#include "facet-math-symbols.h"

#include <stdlib.h>
#include <string.h>

#define ORDINARY FACET_MATH_ORDINARY
#define OPERATOR FACET_MATH_OPERATOR
#define FUNCTION FACET_MATH_FUNCTION
#define NAME FACET_MATH_NAME
#define ACCENT FACET_MATH_ACCENT
#define NOTHING FACET_MATH_NOTHING

/* In the order of strcmp(). */
static const FacetMathSymbol symbols[] = {
  { "Big", NOTHING, "" }, { "Bigg", NOTHING, "" }, { "Bigl", NOTHING, "" }, { "Bigr", NOTHING, "" },
  { "Delta", ORDINARY, "Δ" }, { "Gamma", ORDINARY, "Γ" }, { "Im", ORDINARY, "ℑ" }, { "Lambda", ORDINARY, "Λ" },
  { "Leftarrow", OPERATOR, "⇐" }, { "Leftrightarrow", OPERATOR, "⇔" }, { "Longrightarrow", OPERATOR, "⟹" },
  { "Omega", ORDINARY, "Ω" }, { "Phi", ORDINARY, "Φ" }, { "Pi", ORDINARY, "Π" }, { "Pr", FUNCTION, "Pr" },
  { "Psi", ORDINARY, "Ψ" }, { "Re", ORDINARY, "ℜ" }, { "Rightarrow", OPERATOR, "⇒" }, { "S", ORDINARY, "§" },
  { "Sigma", ORDINARY, "Σ" }, { "Theta", ORDINARY, "Θ" }, { "Upsilon", ORDINARY, "Υ" }, { "Vert", ORDINARY, "‖" },
  { "Xi", ORDINARY, "Ξ" }, { "aleph", ORDINARY, "ℵ" }, { "alpha", ORDINARY, "α" }, { "angle", ORDINARY, "∠" },
  { "approx", OPERATOR, "≈" }, { "arccos", FUNCTION, "arccos" }, { "arcsin", FUNCTION, "arcsin" },
  { "arctan", FUNCTION, "arctan" }, { "arg", FUNCTION, "arg" }, { "argmax", FUNCTION, "argmax" },
  { "argmin", FUNCTION, "argmin" }, { "ast", OPERATOR, "∗" }, { "backslash", ORDINARY, "\\" },
  { "bar", ACCENT, "\u0304" }, { "because", ORDINARY, "∵" }, { "beta", ORDINARY, "β" }, { "big", NOTHING, "" },
  { "bigcap", ORDINARY, "⋂" }, { "bigcup", ORDINARY, "⋃" }, { "bigg", NOTHING, "" }, { "biggl", NOTHING, "" },
  { "biggr", NOTHING, "" }, { "bigl", NOTHING, "" }, { "bigr", NOTHING, "" }, { "blacksquare", ORDINARY, "■" },
  { "bm", NAME, "" }, { "bmod", OPERATOR, "mod" }, { "boldsymbol", NAME, "" }, { "bot", ORDINARY, "⊥" },
  { "boxed", NAME, "" }, { "bullet", ORDINARY, "•" }, { "cap", OPERATOR, "∩" }, { "cdot", OPERATOR, "·" },
  { "cdots", ORDINARY, "⋯" }, { "checkmark", ORDINARY, "✓" }, { "chi", ORDINARY, "χ" }, { "circ", ORDINARY, "∘" },
  { "coloneqq", OPERATOR, "≔" }, { "cong", OPERATOR, "≅" }, { "coprod", ORDINARY, "∐" }, { "cos", FUNCTION, "cos" },
  { "cosh", FUNCTION, "cosh" }, { "cot", FUNCTION, "cot" }, { "csc", FUNCTION, "csc" }, { "cup", OPERATOR, "∪" },
  { "dagger", ORDINARY, "†" }, { "ddot", ACCENT, "\u0308" }, { "ddots", ORDINARY, "⋱" }, { "deg", FUNCTION, "deg" },
  { "degree", ORDINARY, "°" }, { "delta", ORDINARY, "δ" }, { "det", FUNCTION, "det" }, { "dim", FUNCTION, "dim" },
  { "displaystyle", NOTHING, "" }, { "div", OPERATOR, "÷" }, { "dot", ACCENT, "\u0307" }, { "doteq", OPERATOR, "≐" },
  { "dots", ORDINARY, "…" }, { "dotsb", ORDINARY, "⋯" }, { "dotsc", ORDINARY, "…" }, { "downarrow", OPERATOR, "↓" },
  { "ell", ORDINARY, "ℓ" }, { "emptyset", ORDINARY, "∅" }, { "epsilon", ORDINARY, "ϵ" }, { "equiv", OPERATOR, "≡" },
  { "eta", ORDINARY, "η" }, { "euro", ORDINARY, "€" }, { "exists", ORDINARY, "∃" }, { "exp", FUNCTION, "exp" },
  { "forall", ORDINARY, "∀" }, { "gamma", ORDINARY, "γ" }, { "gcd", FUNCTION, "gcd" }, { "ge", OPERATOR, "≥" },
  { "geq", OPERATOR, "≥" }, { "geqslant", OPERATOR, "≥" }, { "gg", OPERATOR, "≫" }, { "gt", OPERATOR, ">" },
  { "hat", ACCENT, "\u0302" }, { "hbar", ORDINARY, "ℏ" }, { "hline", NOTHING, "" }, { "iff", OPERATOR, "⇔" },
  { "iiint", ORDINARY, "∭" }, { "iint", ORDINARY, "∬" }, { "impliedby", OPERATOR, "⇐" }, { "implies", OPERATOR, "⇒" },
  { "in", OPERATOR, "∈" }, { "inf", FUNCTION, "inf" }, { "infty", ORDINARY, "∞" }, { "int", ORDINARY, "∫" },
  { "iota", ORDINARY, "ι" }, { "kappa", ORDINARY, "κ" }, { "ker", FUNCTION, "ker" }, { "lVert", ORDINARY, "‖" },
  { "lambda", ORDINARY, "λ" }, { "land", OPERATOR, "∧" }, { "langle", ORDINARY, "⟨" }, { "lbrace", ORDINARY, "{" },
  { "lceil", ORDINARY, "⌈" }, { "ldots", ORDINARY, "…" }, { "le", OPERATOR, "≤" }, { "left", NOTHING, "" },
  { "leftarrow", OPERATOR, "←" }, { "leftrightarrow", OPERATOR, "↔" }, { "leq", OPERATOR, "≤" },
  { "leqslant", OPERATOR, "≤" }, { "lfloor", ORDINARY, "⌊" }, { "lg", FUNCTION, "lg" }, { "lim", FUNCTION, "lim" },
  { "liminf", FUNCTION, "liminf" }, { "limits", NOTHING, "" }, { "limsup", FUNCTION, "limsup" },
  { "ll", OPERATOR, "≪" }, { "ln", FUNCTION, "ln" }, { "lnot", ORDINARY, "¬" }, { "log", FUNCTION, "log" },
  { "longleftarrow", OPERATOR, "⟵" }, { "longrightarrow", OPERATOR, "⟶" }, { "lor", OPERATOR, "∨" },
  { "lt", OPERATOR, "<" }, { "lvert", ORDINARY, "|" }, { "mapsto", OPERATOR, "↦" }, { "mathbf", NAME, "" },
  { "mathcal", NAME, "" }, { "mathfrak", NAME, "" }, { "mathit", NAME, "" }, { "mathrm", NAME, "" },
  { "mathscr", NAME, "" }, { "mathsf", NAME, "" }, { "mathtt", NAME, "" }, { "max", FUNCTION, "max" },
  { "mbox", NAME, "" }, { "mid", OPERATOR, "∣" }, { "middle", NOTHING, "" }, { "min", FUNCTION, "min" },
  { "models", OPERATOR, "⊨" }, { "mp", OPERATOR, "∓" }, { "mu", ORDINARY, "μ" }, { "nabla", ORDINARY, "∇" },
  { "ne", OPERATOR, "≠" }, { "neg", ORDINARY, "¬" }, { "neq", OPERATOR, "≠" }, { "nexists", ORDINARY, "∄" },
  { "ni", OPERATOR, "∋" }, { "nmid", OPERATOR, "∤" }, { "nolimits", NOTHING, "" }, { "nonumber", NOTHING, "" },
  { "notag", NOTHING, "" }, { "notin", OPERATOR, "∉" }, { "nu", ORDINARY, "ν" }, { "oint", ORDINARY, "∮" },
  { "omega", ORDINARY, "ω" }, { "operatorname", NAME, "" }, { "oplus", OPERATOR, "⊕" }, { "otimes", OPERATOR, "⊗" },
  { "overline", ACCENT, "\u0305" }, { "parallel", OPERATOR, "∥" }, { "partial", ORDINARY, "∂" },
  { "perp", OPERATOR, "⊥" }, { "phi", ORDINARY, "ϕ" }, { "pi", ORDINARY, "π" }, { "pm", OPERATOR, "±" },
  { "pounds", ORDINARY, "£" }, { "prime", ORDINARY, "′" }, { "prod", ORDINARY, "∏" }, { "propto", OPERATOR, "∝" },
  { "psi", ORDINARY, "ψ" }, { "qquad", ORDINARY, "    " }, { "quad", ORDINARY, "  " }, { "rVert", ORDINARY, "‖" },
  { "rangle", ORDINARY, "⟩" }, { "rbrace", ORDINARY, "}" }, { "rceil", ORDINARY, "⌉" }, { "rfloor", ORDINARY, "⌋" },
  { "rho", ORDINARY, "ρ" }, { "right", NOTHING, "" }, { "rightarrow", OPERATOR, "→" },
  { "rightleftharpoons", OPERATOR, "⇌" }, { "rvert", ORDINARY, "|" }, { "sec", FUNCTION, "sec" },
  { "setminus", OPERATOR, "∖" }, { "sigma", ORDINARY, "σ" }, { "sim", OPERATOR, "∼" }, { "simeq", OPERATOR, "≃" },
  { "sin", FUNCTION, "sin" }, { "sinh", FUNCTION, "sinh" }, { "square", ORDINARY, "□" }, { "star", ORDINARY, "⋆" },
  { "subset", OPERATOR, "⊂" }, { "subseteq", OPERATOR, "⊆" }, { "sum", ORDINARY, "∑" }, { "sup", FUNCTION, "sup" },
  { "supset", OPERATOR, "⊃" }, { "supseteq", OPERATOR, "⊇" }, { "tan", FUNCTION, "tan" },
  { "tanh", FUNCTION, "tanh" }, { "tau", ORDINARY, "τ" }, { "text", NAME, "" }, { "textbf", NAME, "" },
  { "textit", NAME, "" }, { "textrm", NAME, "" }, { "textsf", NAME, "" }, { "textstyle", NOTHING, "" },
  { "texttt", NAME, "" }, { "therefore", ORDINARY, "∴" }, { "theta", ORDINARY, "θ" }, { "tilde", ACCENT, "\u0303" },
  { "times", OPERATOR, "×" }, { "to", OPERATOR, "→" }, { "top", ORDINARY, "⊤" }, { "triangle", ORDINARY, "△" },
  { "triangleq", OPERATOR, "≜" }, { "underline", NAME, "" }, { "uparrow", OPERATOR, "↑" },
  { "upsilon", ORDINARY, "υ" }, { "varepsilon", ORDINARY, "ε" }, { "varnothing", ORDINARY, "∅" },
  { "varphi", ORDINARY, "φ" }, { "varpi", ORDINARY, "ϖ" }, { "varrho", ORDINARY, "ϱ" }, { "varsigma", ORDINARY, "ς" },
  { "vartheta", ORDINARY, "ϑ" }, { "vdash", OPERATOR, "⊢" }, { "vdots", ORDINARY, "⋮" }, { "vec", ACCENT, "\u20D7" },
  { "vee", OPERATOR, "∨" }, { "vert", ORDINARY, "|" }, { "wedge", OPERATOR, "∧" }, { "widehat", ACCENT, "\u0302" },
  { "widetilde", ACCENT, "\u0303" }, { "xi", ORDINARY, "ξ" }, { "zeta", ORDINARY, "ζ" },
};

static int
compare (gconstpointer name, gconstpointer symbol)
{
  return strcmp (name, ((const FacetMathSymbol *) symbol)->name);
}

const FacetMathSymbol *
facet_math_symbol (const char *name)
{
  return bsearch (name, symbols, G_N_ELEMENTS (symbols), sizeof symbols[0], compare);
}

/* Pairs: a letter, then what it is as a script. */
static gunichar
look_up (const char *pairs, gunichar letter)
{
  for (const char *at = pairs; *at != '\0'; at = g_utf8_next_char (g_utf8_next_char (at)))
    if (g_utf8_get_char (at) == letter)
      return g_utf8_get_char (g_utf8_next_char (at));
  return 0;
}

gunichar
facet_math_superscript (gunichar letter)
{
  return look_up ("0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹+⁺−⁻=⁼(⁽)⁾aᵃbᵇcᶜdᵈeᵉfᶠgᵍhʰiⁱjʲkᵏlˡmᵐnⁿoᵒpᵖrʳsˢtᵗuᵘvᵛwʷxˣyʸzᶻTᵀ′′∘°", letter);
}

gunichar
facet_math_subscript (gunichar letter)
{
  return look_up ("0₀1₁2₂3₃4₄5₅6₆7₇8₈9₉+₊−₋=₌(₍)₎aₐeₑhₕiᵢjⱼkₖlₗmₘnₙoₒpₚrᵣsₛtₜuᵤvᵥxₓ", letter);
}

gunichar
facet_math_double_struck (gunichar letter)
{
  gunichar found = look_up ("CℂHℍNℕPℙQℚRℝZℤ", letter);

  if (found == 0 && letter >= 'A' && letter <= 'Z')
    found = 0x1D538 + (letter - 'A');
  return found != 0 ? found : letter;
}
