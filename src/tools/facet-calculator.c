#include "facet-calculator.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH     64
#define MAX_ARGUMENTS 64
#define MAX_FACTORIAL 170

typedef struct {
  const char *start, *at;
  int         depth;
  GError    **error;
} Parser;

static gboolean parse_sum (Parser *parser, double *value);
static gboolean parse_signed (Parser *parser, double *value);

static gboolean
fail (Parser *parser, const char *what)
{
  g_set_error (parser->error, FACET_CALCULATOR_ERROR, 0, "byte %d: %s", (int) (parser->at - parser->start), what);
  return FALSE;
}

static gboolean
take (Parser *parser, const char *sign)
{
  while (g_ascii_isspace (*parser->at))
    parser->at++;
  if (!g_str_has_prefix (parser->at, sign))
    return FALSE;
  parser->at += strlen (sign);
  return TRUE;
}

/* ---- functions ---- */

static const struct {
  const char *name;
  double      (*function) (double);
} of_one[] = {
  { "sqrt", sqrt },   { "cbrt", cbrt },   { "exp", exp },     { "ln", log },      { "log", log10 },   { "log10", log10 }, { "log2", log2 },
  { "sin", sin },     { "cos", cos },     { "tan", tan },     { "asin", asin },   { "acos", acos },   { "atan", atan },   { "sinh", sinh },
  { "cosh", cosh },   { "tanh", tanh },   { "abs", fabs },    { "floor", floor }, { "ceil", ceil },   { "round", round }, { "trunc", trunc },
};

static double
gcd (double a, double b)
{
  a = fabs (trunc (a));
  b = fabs (trunc (b));
  while (b > 0 && isfinite (a)) {
    double rest = fmod (a, b);

    a = b;
    b = rest;
  }
  return a;
}

static const struct {
  const char *name;
  double      (*function) (double, double);
  gboolean    many; /* any number of values */
} of_two[] = {
  { "min", fmin, TRUE }, { "max", fmax, TRUE }, { "gcd", gcd, TRUE }, { "pow", pow, FALSE }, { "hypot", hypot, FALSE }, { "atan2", atan2, FALSE },
};

static gboolean
parse_arguments (Parser *parser, double *values, guint *n)
{
  *n = 0;
  if (!take (parser, "("))
    return fail (parser, "expected “(”");
  do {
    if (*n == MAX_ARGUMENTS)
      return fail (parser, "too many values");
    if (!parse_sum (parser, &values[(*n)++]))
      return FALSE;
  } while (take (parser, ","));
  return take (parser, ")") || fail (parser, "expected “)”");
}

static gboolean
call_function (Parser *parser, const char *name, double *value)
{
  double values[MAX_ARGUMENTS];
  guint n;

  for (gsize i = 0; i < G_N_ELEMENTS (of_one); i++)
    if (g_str_equal (name, of_one[i].name)) {
      if (!parse_arguments (parser, values, &n))
        return FALSE;
      *value = of_one[i].function (values[0]);
      return n == 1 || fail (parser, "this function takes one value");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (of_two); i++)
    if (g_str_equal (name, of_two[i].name)) {
      if (!parse_arguments (parser, values, &n))
        return FALSE;
      if (n < 2 || (n > 2 && !of_two[i].many))
        return fail (parser, "this function takes two values");
      *value = values[0];
      for (guint k = 1; k < n; k++)
        *value = of_two[i].function (*value, values[k]);
      return TRUE;
    }
  return fail (parser, "there is no such function or constant");
}

static gboolean
parse_name (Parser *parser, double *value)
{
  g_autofree char *name = NULL;
  const char *start = parser->at;

  while (g_ascii_isalnum (*parser->at))
    parser->at++;
  name = g_ascii_strdown (start, parser->at - start);
  if (g_str_equal (name, "pi") || g_str_equal (name, "e")) {
    *value = name[0] == 'p' ? G_PI : G_E;
    return TRUE;
  }
  return call_function (parser, name, value);
}

/* ---- the grammar, loosest first ---- */

static gboolean
parse_atom (Parser *parser, double *value)
{
  char *end;

  if (take (parser, "("))
    return parse_sum (parser, value) && (take (parser, ")") || fail (parser, "expected “)”"));
  if (g_ascii_isalpha (*parser->at))
    return parse_name (parser, value);
  if (!g_ascii_isdigit (*parser->at) && *parser->at != '.')
    return fail (parser, "expected a number");
  *value = g_ascii_strtod (parser->at, &end);
  if (end == parser->at)
    return fail (parser, "expected a number");
  parser->at = end;
  return TRUE;
}

static gboolean
parse_factorial (Parser *parser, double *value)
{
  if (!parse_atom (parser, value))
    return FALSE;
  while (take (parser, "!")) {
    if (*value < 0 || *value > MAX_FACTORIAL || *value != floor (*value))
      return fail (parser, "factorials are of whole numbers from 0 to 170");
    *value = round (tgamma (*value + 1));
  }
  return TRUE;
}

static gboolean
parse_power (Parser *parser, double *value)
{
  double exponent;

  if (!parse_factorial (parser, value))
    return FALSE;
  if (!take (parser, "**") && !take (parser, "^"))
    return TRUE;
  if (!parse_signed (parser, &exponent))
    return FALSE;
  *value = pow (*value, exponent);
  return TRUE;
}

static gboolean
parse_signed (Parser *parser, double *value)
{
  gboolean done;

  if (parser->depth == MAX_DEPTH)
    return fail (parser, "too many levels");
  parser->depth++;
  if (take (parser, "-")) {
    done = parse_signed (parser, value);
    *value = done ? -*value : 0;
  } else {
    done = take (parser, "+") ? parse_signed (parser, value) : parse_power (parser, value);
  }
  parser->depth--;
  return done;
}

static gboolean
parse_product (Parser *parser, double *value)
{
  if (!parse_signed (parser, value))
    return FALSE;
  for (;;) {
    double factor;
    char sign = take (parser, "*") || take (parser, "×") ? '*' : take (parser, "/") || take (parser, "÷") ? '/' : take (parser, "%") ? '%' : '\0';

    if (sign == '\0')
      return TRUE;
    if (!parse_signed (parser, &factor))
      return FALSE;
    if (sign != '*' && factor == 0)
      return fail (parser, "division by zero");
    *value = sign == '*' ? *value * factor : sign == '/' ? *value / factor : fmod (*value, factor);
  }
}

static gboolean
parse_sum (Parser *parser, double *value)
{
  if (!parse_product (parser, value))
    return FALSE;
  for (;;) {
    double term;
    gboolean plus = take (parser, "+");

    if (!plus && !take (parser, "-"))
      return TRUE;
    if (!parse_product (parser, &term))
      return FALSE;
    *value += plus ? term : -term;
  }
}

gboolean
facet_calculator_evaluate (const char *expression, double *value, GError **error)
{
  Parser parser = { expression, expression, 0, error };

  if (!parse_sum (&parser, value))
    return FALSE;
  take (&parser, "=");
  if (take (&parser, "") && *parser.at != '\0')
    return fail (&parser, "expected an operator");
  if (!isfinite (*value))
    return fail (&parser, "the result is no number");
  return TRUE;
}
