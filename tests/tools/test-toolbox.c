/* The tools themselves: arithmetic, units, the clock, files, commands. */
#include "facet-toolbox.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "facet-calculator.h"
#include "facet-units.h"
#include "process.h"
#include "tree.h"

static void
test_calculator (void)
{
  static const struct {
    const char *expression;
    double      value;
  } rows[] = {
    { "1+2*3", 7 }, { "(1+2)*3", 9 }, { "2^3^2", 512 }, { "-2^2", -4 }, { "2**-1", 0.5 }, { "10/4", 2.5 }, { "10%4", 2 }, { "5!", 120 }, { "0!", 1 },
    { "-(-3)", 3 }, { "1e3+.5", 1000.5 }, { "sqrt(16)+cbrt(27)", 7 }, { "max(1, 5, 3)-min(4,2)", 3 }, { "ln(e)", 1 }, { "log10(1000)", 3 },
    { "sin(pi/2)", 1 }, { "gcd(12, 18, 8)", 2 }, { "pow(2,10)", 1024 }, { "7 =", 7 }, { "3×4÷2", 6 }, { "  8 - 3 - 2 ", 3 }, { "100/10/2", 5 },
    { "0.1+0.2", 0.3 }, { "round(2.5)", 3 }, { "hypot(3,4)", 5 },
  };
  static const char *const wrong[] = { "", "1+", "(1", "1)", "1 2", "2x", "foo(1)", "sqrt()", "sqrt(1,2)", "pow(1)", "1/0", "5%0", "171!", "(-1)!", "1.5!", "sqrt(-1)",
                                       "10^400", "x=1", "--", "max(", "1;2", "system(1)", "e9e" };
  g_autofree char *deep = g_strnfill (5000, '(');

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    double value = 0;

    g_assert_true (facet_calculator_evaluate (rows[i].expression, &value, &error));
    g_assert_no_error (error);
    g_assert_cmpfloat_with_epsilon (value, rows[i].value, 1e-12);
  }
  for (guint i = 0; i < G_N_ELEMENTS (wrong) + 1; i++) {
    g_autoptr (GError) error = NULL;
    double value;

    g_assert_false (facet_calculator_evaluate (i < G_N_ELEMENTS (wrong) ? wrong[i] : deep, &value, &error));
    g_assert_nonnull (error);
  }
}

static void
test_units (void)
{
  static const struct {
    double      value;
    const char *from, *to;
    double      result;
  } rows[] = {
    { 1, "mile", "km", 1.609344 }, { 100, "°C", "F", 212 }, { 32, "fahrenheit", "kelvin", 273.15 }, { 5, "feet", "inches", 60 }, { 2, "hours", "min", 120 },
    { 1, "MW", "mW", 1e9 }, { 1, "kWh", "MJ", 3.6 }, { 180, "degrees", "rad", G_PI }, { 1, "GiB", "MB", 1073.741824 }, { 60, "mph", "km/h", 96.56064 },
    { 3, "US_gallons", "litres", 11.356235352 }, { 1, "acre", "m2", 4046.8564224 }, { 1, "bar", "psi", 14.503773773 }, { 10, "Stone", "kg", 63.5029318 },
  };
  double result;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_true (facet_units_convert (rows[i].value, rows[i].from, rows[i].to, &result, &error));
    g_assert_no_error (error);
    g_assert_cmpfloat_with_epsilon (result, rows[i].result, fabs (rows[i].result) * 1e-9);
  }
  g_assert_false (facet_units_convert (1, "mile", "kg", &result, NULL));
  g_assert_false (facet_units_convert (1, "parsnip", "kg", &result, NULL));
  g_assert_false (facet_units_convert (1, "", "kg", &result, NULL));
  g_assert_false (facet_units_convert (1, "m|km", "kg", &result, NULL));
}

static char *
run (FacetToolbox *toolbox, const char *name, const char *arguments, GError **error)
{
  FacetCall call = { (char *) name, (char *) arguments };

  return facet_toolbox_run (toolbox, &call, NULL, error);
}

static char *
question (FacetToolbox *toolbox, const char *name, const char *arguments)
{
  FacetCall call = { (char *) name, (char *) arguments };

  return facet_toolbox_question (toolbox, &call);
}

static void
test_builtin (void)
{
  g_autoptr (FacetToolbox) toolbox = facet_toolbox_new_builtin ();
  g_autoptr (GError) error = NULL;
  g_autofree char *sum = run (toolbox, "calculator", "{\"expression\":\"0.1+0.2\"}", NULL);
  g_autofree char *wrong = run (toolbox, "calculator", "{\"expression\":\"1/0\"}", &error);
  g_autofree char *tokyo = run (toolbox, "clock", "{\"time_zone\":\"Asia/Tokyo\"}", NULL);
  g_autofree char *here = run (toolbox, "clock", "{}", NULL);
  g_autofree char *miles = run (toolbox, "convert_units", "{\"value\":26.2,\"from\":\"miles\",\"to\":\"km\"}", NULL);

  g_assert_cmpuint (facet_toolbox_tools (toolbox)->len, ==, 4);
  g_assert_cmpstr (sum, ==, "0.3");
  g_assert_null (wrong);
  g_assert_error (error, g_quark_from_string ("facet-calculator"), 0);
  g_assert_nonnull (strstr (tokyo, "+0900 (Asia/Tokyo)"));
  g_assert_nonnull (here);
  g_assert_cmpstr (miles, ==, "42.1648128 km");
  g_assert_null (question (toolbox, "calculator", "{\"expression\":\"1\"}"));
  g_assert_null (run (toolbox, "clock", "{\"time_zone\":\"../../etc/passwd\"}", NULL));
  g_assert_null (run (toolbox, "clock", "{\"time_zone\":\"/etc/localtime\"}", NULL));
  g_assert_null (run (toolbox, "clock", "{\"time_zone\":\"Mars/Olympus\"}", NULL));
  g_assert_null (run (toolbox, "nothing", "{}", NULL));
}

static void
test_read_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("facet-toolbox-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "note.txt", NULL);
  g_autofree char *arguments = g_strdup_printf ("{\"path\":\"%s\"}", path);
  g_autofree char *big = g_strnfill (70000, 'x');
  g_autoptr (FacetToolbox) toolbox = facet_toolbox_new_builtin ();
  g_autofree char *asked = question (toolbox, "read_file", arguments);
  g_autofree char *text = NULL;

  g_assert_nonnull (strstr (asked, path));
  g_assert_null (run (toolbox, "read_file", arguments, NULL));
  g_assert_true (g_file_set_contents (path, "caff\xc3\xa8\n", -1, NULL));
  text = run (toolbox, "read_file", arguments, NULL);
  g_assert_cmpstr (text, ==, "caff\xc3\xa8\n");
  g_assert_true (g_file_set_contents (path, "\xff\xfe", -1, NULL));
  g_assert_null (run (toolbox, "read_file", arguments, NULL));
  g_assert_true (g_file_set_contents (path, big, -1, NULL));
  g_assert_null (run (toolbox, "read_file", arguments, NULL));
  g_assert_null (run (toolbox, "read_file", "{\"path\":\"/\"}", NULL));
  g_assert_null (run (toolbox, "read_file", "{\"path\":\"/dev/zero\"}", NULL));
  tree_remove (folder);
}

/* ---- a person's own ---- */

static FacetToolbox *
load (const char *json, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("facet-toolbox-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "tools.json", NULL);
  FacetToolbox *toolbox;

  g_assert_true (g_file_set_contents (path, json, -1, NULL));
  toolbox = facet_toolbox_new_from_file (path, error);
  tree_remove (folder);
  return toolbox;
}

#define TOOL(name, command)                                                                                                                           \
  "{\"name\":\"" name "\",\"description\":\"d\",\"parameters\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}," \
  "\"n\":{\"type\":\"integer\"}}},\"command\":" command "}"

static void
test_commands (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetToolbox) toolbox = load ("{\"tools\":[" TOOL ("say", "[\"printf\",\"%s|\",\"{text}\",\"{n}\",\"end\"]") "," TOOL ("echo", "[\"cat\"]") ","
                                           TOOL ("deaf", "[\"true\"]") "," TOOL ("fails", "[\"false\"]") "," TOOL ("missing", "[\"/nonexistent/x\"]") ","
                                           TOOL ("floods", "[\"yes\"]") "]}", &error);
  g_autofree char *said = NULL, *part = NULL, *asked = NULL, *back = NULL, *nothing = NULL;

  g_assert_no_error (error);
  said = run (toolbox, "say", "{\"text\":\"a b; $(id) `x`\",\"n\":-3}", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (said, ==, "a b; $(id) `x`|-3|end|");
  part = run (toolbox, "say", "{\"n\":1}", NULL);
  g_assert_cmpstr (part, ==, "1|end|");
  asked = question (toolbox, "say", "{\"text\":\"a'b\"}");
  g_assert_nonnull (strstr (asked, "'printf' '%s|' 'a'\\''b' 'end'"));
  back = run (toolbox, "echo", "{\"text\":\"x\"}", NULL);
  g_assert_cmpstr (back, ==, "{\"text\":\"x\"}");
  nothing = run (toolbox, "deaf", "{}", NULL);
  g_assert_cmpstr (nothing, ==, "");
  g_assert_null (run (toolbox, "say", "{\"text\":\"--version\"}", &error));
  g_assert_error (error, FACET_TOOLBOX_ERROR, FACET_TOOLBOX_ERROR_CALL);
  g_clear_error (&error);
  g_assert_null (run (toolbox, "fails", "{}", &error));
  g_clear_error (&error);
  g_assert_null (run (toolbox, "missing", "{}", &error));
  g_clear_error (&error);
  g_assert_null (run (toolbox, "floods", "{}", &error));
  g_assert_nonnull (strstr (error->message, "more than"));
}

/* ---- commands that do not end ------------------------------------------- */

typedef struct {
  const char *pid_file;
  FacetCancel cancel;
  int         child;
} Stopper;

static gpointer
stop_thread (gpointer data)
{
  Stopper *stopper = data;

  while ((stopper->child = process_read_id (stopper->pid_file)) == 0)
    g_usleep (10000);
  facet_cancel (&stopper->cancel);
  return NULL;
}

/* Runs the shell's @words, which write the id of a process of theirs into “$0”,
 * and stops the call then: nothing of it goes on. */
static void
check_stopped (const char *words)
{
  g_autofree char *folder = g_dir_make_tmp ("facet-stop-XXXXXX", NULL);
  g_autofree char *pid_file = g_build_filename (folder, "pid", NULL);
  g_autofree char *json = g_strdup_printf ("{\"tools\":[" TOOL ("nest", "[\"sh\",\"-c\",\"%s\",\"%s\"]") "]}", words, pid_file);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetToolbox) toolbox = load (json, &error);
  Stopper stopper = { .pid_file = pid_file };
  FacetCall call = { (char *) "nest", (char *) "{}" };
  g_autoptr (GThread) thread = NULL;
  gint64 begun = g_get_monotonic_time ();

  g_assert_no_error (error);
  thread = g_thread_new ("stop", stop_thread, &stopper);
  g_assert_null (facet_toolbox_run (toolbox, &call, &stopper.cancel, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 10 * G_USEC_PER_SEC);
  g_thread_join (g_steal_pointer (&thread));
  process_wait_end (stopper.child);
  tree_remove (folder);
}

static void
test_stop (void)
{
  check_stopped ("sleep 60 & echo $! > $0; wait");           /* with what it started */
  check_stopped ("exec >&-; sleep 60 & echo $! > $0; wait"); /* also when its output has ended */
}

static gpointer
die_thread (gpointer data)
{
  while (process_read_id (data) == 0)
    g_usleep (10000);
  kill (getpid (), SIGKILL);
  return NULL;
}

/* Also a program that is killed leaves no command behind. */
static void
test_killed (void)
{
  g_autofree char *pid_file = g_strdup (g_getenv ("FACET_TEST_PID_FILE"));
  g_autofree char *json = NULL, *folder = NULL;

  if (g_test_subprocess ()) {
    g_autoptr (FacetToolbox) toolbox = NULL;

    json = g_strdup_printf ("{\"tools\":[" TOOL ("wait", "[\"sh\",\"-c\",\"echo $$ > $0; exec sleep 60\",\"%s\"]") "]}", pid_file);
    toolbox = load (json, NULL);
    g_thread_unref (g_thread_new ("die", die_thread, pid_file));
    run (toolbox, "wait", "{}", NULL);
    return;
  }
  folder = g_dir_make_tmp ("facet-killed-XXXXXX", NULL);
  pid_file = g_build_filename (folder, "pid", NULL);
  g_setenv ("FACET_TEST_PID_FILE", pid_file, TRUE);
  g_test_trap_subprocess (NULL, 20 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_assert_false (g_test_trap_has_passed ());
  process_wait_end (process_read_id (pid_file));
  tree_remove (folder);
}

/* A command that asks on the terminal learns at once that there is none. */
static void
test_no_terminal (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetToolbox) toolbox = load ("{\"tools\":[" TOOL ("ask", "[\"sh\",\"-c\",\"cut -d' ' -f6 /proc/$$/stat; echo $$\"]") "]}", &error);
  g_autofree char *said = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_no_error (error);
  said = run (toolbox, "ask", "{}", &error);
  g_assert_no_error (error);
  lines = g_strsplit (said, "\n", -1);
  g_assert_cmpstr (lines[0], ==, lines[1]);
}

static void
test_target (void)
{
  g_autoptr (FacetToolbox) builtin = facet_toolbox_new_builtin ();
  g_autoptr (FacetToolbox) own = load ("{\"tools\":[" TOOL ("echo", "[\"cat\",\"{text}\"]") "]}", NULL);
  FacetCall sum = { (char *) "calculator", (char *) "{\"expression\":\"1\"}" };
  FacetCall read = { (char *) "read_file", (char *) "{\"path\":\"/tmp/a\"}" };
  FacetCall echo = { (char *) "echo", (char *) "{\"text\":\"a b\"}" };
  g_autofree char *file = NULL, *line = NULL;
  gboolean command;

  g_assert_null (facet_toolbox_target (builtin, &sum, &command));
  file = facet_toolbox_target (builtin, &read, &command);
  g_assert_cmpstr (file, ==, "/tmp/a");
  g_assert_false (command);
  line = facet_toolbox_target (own, &echo, &command);
  g_assert_cmpstr (line, ==, "'cat' 'a b'");
  g_assert_true (command);
}

/* A person's own beside the built-in ones; each name once. */
static void
test_joined (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetToolbox) builtin = facet_toolbox_new_builtin ();
  g_autoptr (FacetToolbox) own = load ("{\"tools\":[" TOOL ("echo", "[\"cat\"]") "]}", NULL);
  g_autoptr (FacetToolbox) taken = load ("{\"tools\":[" TOOL ("clock", "[\"cat\"]") "]}", NULL);
  g_autoptr (FacetToolbox) both = facet_toolbox_new_joined (builtin, own, &error);
  g_autofree char *sum = NULL, *back = NULL, *asked = NULL;

  g_assert_no_error (error);
  g_clear_pointer (&builtin, facet_toolbox_unref);
  g_clear_pointer (&own, facet_toolbox_unref);
  g_assert_cmpuint (facet_toolbox_tools (both)->len, ==, 5);
  sum = run (both, "calculator", "{\"expression\":\"2*3\"}", NULL);
  g_assert_cmpstr (sum, ==, "6");
  g_assert_null (question (both, "calculator", "{\"expression\":\"2*3\"}"));
  back = run (both, "echo", "{\"text\":\"x\"}", NULL);
  g_assert_cmpstr (back, ==, "{\"text\":\"x\"}");
  asked = question (both, "echo", "{\"text\":\"x\"}");
  g_assert_nonnull (strstr (asked, "'cat'"));
  g_assert_null (facet_toolbox_new_joined (both, taken, &error));
  g_assert_error (error, FACET_TOOLBOX_ERROR, FACET_TOOLBOX_ERROR_FILE);
}

static void
test_cancel (void)
{
  g_autoptr (FacetToolbox) toolbox = load ("{\"tools\":[" TOOL ("sleep", "[\"sleep\",\"20\"]") "]}", NULL);
  FacetCall call = { (char *) "sleep", (char *) "{}" };
  FacetCancel cancel = { 0 };
  g_autoptr (GError) error = NULL;

  facet_cancel (&cancel);
  g_assert_null (facet_toolbox_run (toolbox, &call, &cancel, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
}

static void
test_bad_files (void)
{
  static const char *const files[] = {
    "", "[]", "{}", "{\"tools\":[]}", "{\"tools\":[1]}", "{\"tools\":[{\"name\":\"a\"}]}", "{\"tools\":[{\"name\":\"a\",\"description\":\"\",\"command\":\"ls\"}]}",
    "{\"tools\":[{\"name\":\"a\",\"description\":\"\",\"command\":[]}]}", "{\"tools\":[{\"name\":\"a\",\"description\":\"\",\"command\":[1]}]}",
    "{\"tools\":[{\"name\":\"a\",\"description\":\"\",\"command\":[\"{x}\"]}]}", "{\"tools\":[{\"name\":\"a b\",\"description\":\"\",\"command\":[\"ls\"]}]}",
    "{\"tools\":[{\"name\":\"a\",\"description\":\"\",\"command\":[\"ls\"],\"parameters\":{\"type\":\"string\"}}]}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (load (files[i], &error));
    g_assert_nonnull (error);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/toolbox/calculator", test_calculator);
  g_test_add_func ("/toolbox/units", test_units);
  g_test_add_func ("/toolbox/builtin", test_builtin);
  g_test_add_func ("/toolbox/read-file", test_read_file);
  g_test_add_func ("/toolbox/target", test_target);
  g_test_add_func ("/toolbox/joined", test_joined);
  g_test_add_func ("/toolbox/commands", test_commands);
  g_test_add_func ("/toolbox/stop", test_stop);
  g_test_add_func ("/toolbox/killed", test_killed);
  g_test_add_func ("/toolbox/no-terminal", test_no_terminal);
  g_test_add_func ("/toolbox/cancel", test_cancel);
  g_test_add_func ("/toolbox/bad-files", test_bad_files);
  return g_test_run ();
}
