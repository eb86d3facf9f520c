#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "facet-calculator.h"
#include "facet-toolbox-private.h"
#include "facet-units.h"

#define MAX_FILE FACET_TOOLBOX_MAX_RESULT

static char *
number_text (double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.15g", value == 0 ? 0 : value));
}

static char *
run_calculator (JsonObject *arguments, GError **error)
{
  double value;

  if (!facet_calculator_evaluate (json_object_get_string_member (arguments, "expression"), &value, error))
    return NULL;
  return number_text (value);
}

/* Names of the time zone database only: no paths. */
static GTimeZone *
find_zone (const char *name)
{
  if (name == NULL)
    return g_time_zone_new_local ();
  if (name[0] == '\0' || name[0] == '/' || strstr (name, "..") != NULL || strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_+-/:") != strlen (name))
    return NULL;
  return g_time_zone_new_identifier (name);
}

static char *
run_clock (JsonObject *arguments, GError **error)
{
  const char *name = json_object_get_string_member_with_default (arguments, "time_zone", NULL);
  g_autoptr (GTimeZone) zone = find_zone (name);
  g_autoptr (GDateTime) now = NULL;
  static const char *const days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };
  g_autofree char *time = NULL;

  if (zone == NULL) {
    facet_toolbox_fail (error, "the time zone “%s” is not known; it is written like Europe/Rome or +02:00", name);
    return NULL;
  }
  now = g_date_time_new_now (zone);
  time = g_date_time_format (now, "%Y-%m-%d %H:%M:%S %z");
  return g_strdup_printf ("%s, %s (%s)", days[g_date_time_get_day_of_week (now) - 1], time, g_time_zone_get_identifier (zone));
}

static char *
run_units (JsonObject *arguments, GError **error)
{
  double result;
  g_autofree char *number = NULL;

  if (!facet_units_convert (json_object_get_double_member (arguments, "value"), json_object_get_string_member (arguments, "from"),
                            json_object_get_string_member (arguments, "to"), &result, error))
    return NULL;
  number = number_text (result);
  return g_strdup_printf ("%s %s", number, json_object_get_string_member (arguments, "to"));
}

static char *
ask_read_file (JsonObject *arguments)
{
  g_autofree char *shown = facet_toolbox_reveal (json_object_get_string_member (arguments, "path"));

  return g_strdup_printf (_("The model wants to read the file “%s”."), shown);
}

/* A regular file, and no more of it than a result may hold. */
static char *
read_start (int file, const char *path, GError **error)
{
  g_autofree char *text = g_malloc (MAX_FILE + 1);
  struct stat status;
  gssize length = 0, got;

  if (fstat (file, &status) != 0 || !S_ISREG (status.st_mode)) {
    facet_toolbox_fail (error, "“%s” is no file that can be read", path);
    return NULL;
  }
  while (length <= MAX_FILE && (got = read (file, text + length, MAX_FILE + 1 - length)) > 0)
    length += got;
  if (length > MAX_FILE) {
    facet_toolbox_fail (error, "“%s” is larger than %d bytes", path, MAX_FILE);
    return NULL;
  }
  if (!g_utf8_validate_len (text, length, NULL)) {
    facet_toolbox_fail (error, "“%s” holds no text", path);
    return NULL;
  }
  return g_strndup (text, length);
}

static char *
run_read_file (JsonObject *arguments, GError **error)
{
  const char *path = json_object_get_string_member (arguments, "path");
  int file = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  char *text;

  if (file < 0) {
    facet_toolbox_fail (error, "“%s” cannot be opened: %s", path, g_strerror (errno));
    return NULL;
  }
  text = read_start (file, path, error);
  close (file);
  return text;
}

const FacetBuiltinTool facet_builtin_tools[] = {
  { "calculator", "Computes an arithmetic expression exactly, with + - * / % ^ ! ( ) and functions such as sqrt, ln, log10, sin, min, max.",
    "{\"type\":\"object\",\"properties\":{\"expression\":{\"type\":\"string\",\"description\":\"For example (2+3)*4^2\"}},\"required\":[\"expression\"]}",
    NC_("tool", "Calculator"), NULL, run_calculator, NULL },
  { "clock", "Tells today's date, the day of the week and the time, here or in a time zone.",
    "{\"type\":\"object\",\"properties\":{\"time_zone\":{\"type\":\"string\",\"description\":\"For example Asia/Tokyo; without it, the person's own\"}}}",
    NC_("tool", "Clock"), NULL, run_clock, NULL },
  { "convert_units", "Converts a value from one unit to another.",
    "{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"number\"},\"from\":{\"type\":\"string\",\"description\":\"For example mile\"},"
    "\"to\":{\"type\":\"string\",\"description\":\"For example km\"}},\"required\":[\"value\",\"from\",\"to\"]}",
    NC_("tool", "Unit Converter"), NULL, run_units, NULL },
  { "read_file", "Reads a text file of the person, who is asked first.",
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\",\"description\":\"Where the file is\"}},\"required\":[\"path\"]}",
    NC_("tool", "File Reader"), "path", run_read_file, ask_read_file },
};

const guint facet_n_builtin_tools = G_N_ELEMENTS (facet_builtin_tools);
