#include "facet-units.h"

#include <string.h>

typedef enum { LENGTH, AREA, VOLUME, MASS, TIME, SPEED, TEMPERATURE, ENERGY, POWER, PRESSURE, ANGLE, DATA } Dimension;

/* In the dimension's base unit, value * factor + offset. */
static const struct {
  Dimension   dimension;
  const char *names; /* between bars, the symbol first */
  double      factor, offset;
} units[] = {
  { LENGTH, "|m|metre|meter|", 1, 0 },
  { LENGTH, "|km|kilometre|kilometer|", 1000, 0 },
  { LENGTH, "|cm|centimetre|centimeter|", 0.01, 0 },
  { LENGTH, "|mm|millimetre|millimeter|", 1e-3, 0 },
  { LENGTH, "|µm|um|micrometre|micrometer|micron|", 1e-6, 0 },
  { LENGTH, "|nm|nanometre|nanometer|", 1e-9, 0 },
  { LENGTH, "|in|inch|inches|\"|", 0.0254, 0 },
  { LENGTH, "|ft|foot|feet|'|", 0.3048, 0 },
  { LENGTH, "|yd|yard|", 0.9144, 0 },
  { LENGTH, "|mi|mile|", 1609.344, 0 },
  { LENGTH, "|nmi|nautical mile|", 1852, 0 },
  { LENGTH, "|au|astronomical unit|", 149597870700.0, 0 },
  { LENGTH, "|ly|light year|", 9460730472580800.0, 0 },
  { AREA, "|m2|m²|m^2|square metre|square meter|sqm|", 1, 0 },
  { AREA, "|km2|km²|km^2|square kilometre|square kilometer|", 1e6, 0 },
  { AREA, "|cm2|cm²|cm^2|square centimetre|square centimeter|", 1e-4, 0 },
  { AREA, "|ha|hectare|", 1e4, 0 },
  { AREA, "|ac|acre|", 4046.8564224, 0 },
  { AREA, "|ft2|ft²|ft^2|square foot|square feet|sqft|", 0.09290304, 0 },
  { AREA, "|mi2|mi²|mi^2|square mile|", 2589988.110336, 0 },
  { VOLUME, "|l|litre|liter|dm3|", 1, 0 },
  { VOLUME, "|ml|millilitre|milliliter|cm3|cm³|", 1e-3, 0 },
  { VOLUME, "|cl|centilitre|centiliter|", 1e-2, 0 },
  { VOLUME, "|dl|decilitre|deciliter|", 0.1, 0 },
  { VOLUME, "|m3|m³|m^3|cubic metre|cubic meter|", 1000, 0 },
  { VOLUME, "|gal|gallon|us gallon|", 3.785411784, 0 },
  { VOLUME, "|qt|quart|us quart|", 0.946352946, 0 },
  { VOLUME, "|pt|pint|us pint|", 0.473176473, 0 },
  { VOLUME, "|cup|us cup|", 0.2365882365, 0 },
  { VOLUME, "|fl oz|floz|fluid ounce|us fluid ounce|", 0.0295735295625, 0 },
  { VOLUME, "|tbsp|tablespoon|", 0.01478676478125, 0 },
  { VOLUME, "|tsp|teaspoon|", 0.00492892159375, 0 },
  { VOLUME, "|imperial gallon|uk gallon|", 4.54609, 0 },
  { VOLUME, "|imperial pint|uk pint|", 0.56826125, 0 },
  { MASS, "|kg|kilogram|kilogramme|kilo|", 1, 0 },
  { MASS, "|g|gram|gramme|", 1e-3, 0 },
  { MASS, "|mg|milligram|milligramme|", 1e-6, 0 },
  { MASS, "|t|tonne|metric ton|", 1000, 0 },
  { MASS, "|lb|lbs|pound|", 0.45359237, 0 },
  { MASS, "|oz|ounce|", 0.028349523125, 0 },
  { MASS, "|st|stone|", 6.35029318, 0 },
  { MASS, "|short ton|us ton|", 907.18474, 0 },
  { TIME, "|s|sec|second|", 1, 0 },
  { TIME, "|ms|millisecond|", 1e-3, 0 },
  { TIME, "|min|minute|", 60, 0 },
  { TIME, "|h|hr|hour|", 3600, 0 },
  { TIME, "|d|day|", 86400, 0 },
  { TIME, "|wk|week|", 604800, 0 },
  { TIME, "|yr|year|julian year|", 31557600, 0 },
  { SPEED, "|m/s|mps|metre per second|meter per second|metres per second|meters per second|", 1, 0 },
  { SPEED, "|km/h|kmh|kph|kilometre per hour|kilometer per hour|kilometres per hour|kilometers per hour|", 1 / 3.6, 0 },
  { SPEED, "|mph|mi/h|mile per hour|miles per hour|", 0.44704, 0 },
  { SPEED, "|kn|kt|knot|", 1852.0 / 3600, 0 },
  { SPEED, "|ft/s|fps|foot per second|feet per second|", 0.3048, 0 },
  { TEMPERATURE, "|K|kelvin|", 1, 0 },
  { TEMPERATURE, "|°C|C|celsius|degree celsius|degrees celsius|", 1, 273.15 },
  { TEMPERATURE, "|°F|F|fahrenheit|degree fahrenheit|degrees fahrenheit|", 5.0 / 9, 273.15 - 32 * 5.0 / 9 },
  { ENERGY, "|J|joule|", 1, 0 },
  { ENERGY, "|kJ|kilojoule|", 1000, 0 },
  { ENERGY, "|MJ|megajoule|", 1e6, 0 },
  { ENERGY, "|cal|calorie|", 4.184, 0 },
  { ENERGY, "|kcal|kilocalorie|", 4184, 0 },
  { ENERGY, "|Wh|watt hour|", 3600, 0 },
  { ENERGY, "|kWh|kilowatt hour|", 3.6e6, 0 },
  { ENERGY, "|eV|electronvolt|", 1.602176634e-19, 0 },
  { ENERGY, "|BTU|british thermal unit|", 1055.05585262, 0 },
  { POWER, "|W|watt|", 1, 0 },
  { POWER, "|mW|milliwatt|", 1e-3, 0 },
  { POWER, "|kW|kilowatt|", 1000, 0 },
  { POWER, "|MW|megawatt|", 1e6, 0 },
  { POWER, "|hp|horsepower|", 745.6998715822702, 0 },
  { POWER, "|PS|metric horsepower|", 735.49875, 0 },
  { PRESSURE, "|Pa|pascal|", 1, 0 },
  { PRESSURE, "|hPa|hectopascal|mbar|millibar|", 100, 0 },
  { PRESSURE, "|kPa|kilopascal|", 1000, 0 },
  { PRESSURE, "|MPa|megapascal|", 1e6, 0 },
  { PRESSURE, "|bar|", 1e5, 0 },
  { PRESSURE, "|atm|atmosphere|", 101325, 0 },
  { PRESSURE, "|psi|pound per square inch|pounds per square inch|", 6894.757293168361, 0 },
  { PRESSURE, "|mmHg|torr|", 133.32236842105263, 0 },
  { ANGLE, "|rad|radian|", 1, 0 },
  { ANGLE, "|°|deg|degree|", G_PI / 180, 0 },
  { ANGLE, "|gon|grad|gradian|", G_PI / 200, 0 },
  { ANGLE, "|turn|revolution|", 2 * G_PI, 0 },
  { DATA, "|B|byte|", 8, 0 },
  { DATA, "|bit|", 1, 0 },
  { DATA, "|kB|KB|kilobyte|", 8e3, 0 },
  { DATA, "|MB|megabyte|", 8e6, 0 },
  { DATA, "|GB|gigabyte|", 8e9, 0 },
  { DATA, "|TB|terabyte|", 8e12, 0 },
  { DATA, "|KiB|kibibyte|", 8192, 0 },
  { DATA, "|MiB|mebibyte|", 8.0 * 1048576, 0 },
  { DATA, "|GiB|gibibyte|", 8.0 * 1073741824, 0 },
  { DATA, "|TiB|tebibyte|", 8.0 * 1099511627776, 0 },
};

static int
find_named (const char *name, gboolean fold)
{
  g_autofree char *folded = fold ? g_utf8_strdown (name, -1) : g_strdup (name);
  g_autofree char *wanted = g_strdup_printf ("|%s|", folded);

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++) {
    g_autofree char *names = fold ? g_utf8_strdown (units[i].names, -1) : g_strdup (units[i].names);

    if (strstr (names, wanted) != NULL)
      return i;
  }
  return -1;
}

/* As written, in any case, then without the s of a plural. */
static int
find_unit (const char *name)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (name));
  int found;

  if (trimmed[0] == '\0' || strchr (trimmed, '|') != NULL || !g_utf8_validate (trimmed, -1, NULL))
    return -1;
  g_strdelimit (trimmed, "_-", ' ');
  found = find_named (trimmed, FALSE);
  if (found < 0)
    found = find_named (trimmed, TRUE);
  if (found < 0 && strlen (trimmed) > 3 && g_str_has_suffix (trimmed, "s")) {
    trimmed[strlen (trimmed) - 1] = '\0';
    found = find_named (trimmed, TRUE);
  }
  return found;
}

gboolean
facet_units_convert (double value, const char *from, const char *to, double *result, GError **error)
{
  int source = find_unit (from), target = find_unit (to);

  if (source < 0 || target < 0) {
    g_set_error (error, FACET_UNITS_ERROR, 0, "the unit “%s” is not known", source < 0 ? from : to);
    return FALSE;
  }
  if (units[source].dimension != units[target].dimension) {
    g_set_error (error, FACET_UNITS_ERROR, 0, "“%s” and “%s” measure different things", from, to);
    return FALSE;
  }
  *result = (value * units[source].factor + units[source].offset - units[target].offset) / units[target].factor;
  return TRUE;
}
