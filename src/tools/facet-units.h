/* facet-units.h - conversion of units
 *
 * Lengths, areas, volumes, masses, times, speeds, temperatures, energies,
 * powers, pressures, angles and amounts of data,
 * by their usual symbols and English names, singular or plural. Symbols are
 * taken as written first (mW, MW), then without regard to case.
 */
#pragma once

#include <glib.h>

#define FACET_UNITS_ERROR (g_quark_from_static_string ("facet-units"))

gboolean facet_units_convert (double value, const char *from, const char *to, double *result, GError **error);
