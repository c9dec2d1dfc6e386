@echo off
rem Opens Llm-Music-Gen. The first time it makes everything ready; after that it needs no network and no time.
rem
rem   launcher.bat                     opens the app (so does a double-click)
rem   launcher.bat generate "Chill"    any command of llm-music-gen (see: launcher.bat --help)
rem   launcher.bat test                runs the tests; what follows goes to pytest
rem   launcher.bat setup               makes everything ready once more
rem
rem LLM_MUSIC_GEN_PYTHON names the Python to use. What happened stands in launcher.log.
rem Written flat (no blocks, no chains of commands): so every line means the same to every cmd.
setlocal EnableExtensions DisableDelayedExpansion
title Llm-Music-Gen
chcp 65001 >nul 2>nul

set "ROOT=%~dp0"
set "ROOT=%ROOT:~0,-1%"
set "VENV=%ROOT%\.venv"
set "VENV_PYTHON=%VENV%\Scripts\python.exe"
set "LOCK=%ROOT%\requirements\studio.lock"
set "TEST_LOCK=%ROOT%\requirements\test.lock"
set "STAMP=%VENV%\made-ready.lock"
set "TEST_STAMP=%VENV%\made-ready-test.lock"
set "LOG=%ROOT%\launcher.log"
set "PIP_LOG=%VENV%\pip.log"
set "LLAMA_WHEELS=https://abetlen.github.io/llama-cpp-python/whl/cpu"
set "LLAMA_CPP_PYTHON=llama-cpp-python>=0.3.16"
set "FIND=import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))"
set "TRY_MODEL=import glob, llama_cpp; [llama_cpp.Llama(path, n_ctx=64, verbose=False).eval([1]) for path in glob.glob('models/*.built-in.gguf')]"
set "PYTHON="
set "RC=0"
set "BARE="
if "%~1"=="" set "BARE=1"

set "PYTHONUTF8=1"
set "PYTHONNOUSERSITE=1"
set "PYTHONSAFEPATH=1"
set "PYTHONHOME="
set "PYTHONSTARTUP="
set "PYTHONPATH=%ROOT%"
rem Where FluidSynth lies when it came as a package; one that the user installed is found before it
set "PATH=%PATH%;%VENV%\Lib\site-packages\sf2_loader\read_sf2"
set "PIP_DISABLE_PIP_VERSION_CHECK=1"
set "PIP_NO_INPUT=1"
set "PIP_USER=0"
if not defined PIP_RETRIES set "PIP_RETRIES=2"

call :trim "%LOG%"
ver >nul
call :begin_log 2>nul
if not "%errorlevel%"=="0" set "LOG=nul"

if /i "%~1"=="setup" goto set_up
call :is_ready "%LOCK%" "%STAMP%"
if "%errorlevel%"=="0" goto ready
call :make_ready
if not "%errorlevel%"=="0" goto failed

:ready
if /i "%~1"=="test" goto tests
"%VENV_PYTHON%" -m llm_music_gen %*
set "RC=%errorlevel%"
goto finish

:set_up
call :make_ready
if not "%errorlevel%"=="0" goto failed
if exist "%TEST_STAMP%" del "%TEST_STAMP%"
goto finish

:tests
call :is_ready "%TEST_LOCK%" "%TEST_STAMP%"
if "%errorlevel%"=="0" goto collect_arguments
call :make_tests_ready
if not "%errorlevel%"=="0" goto failed
:collect_arguments
set "TEST_ARGUMENTS="
:next_argument
shift /1
if "%~1"=="" goto run_tests
set TEST_ARGUMENTS=%TEST_ARGUMENTS% %1
goto next_argument
:run_tests
pushd "%ROOT%"
"%VENV_PYTHON%" -m pytest %TEST_ARGUMENTS%
set "RC=%errorlevel%"
popd
goto finish

:failed
set "RC=1"

:finish
if "%RC%"=="0" goto leave
if not defined BARE goto leave
if defined LLM_MUSIC_GEN_NO_PAUSE goto leave
rem A double-click starts cmd with /c: without a pause the window and its sentence would vanish.
set "COMMAND_LINE=%CMDCMDLINE:"=%"
if not "%COMMAND_LINE:/c =%"=="%COMMAND_LINE%" pause
:leave
exit /b %RC%


rem --- making ready --------------------------------------------------------------------------------------------------

:is_ready
rem The arguments are a list of packages and a stamp: was the environment made for them, and is it still there
if not exist "%VENV_PYTHON%" exit /b 1
if not exist "%~2" exit /b 1
fc /b "%~1" "%~2" >nul 2>nul
if not "%errorlevel%"=="0" exit /b 1
call :packages_present
exit /b %errorlevel%

:packages_present
"%VENV_PYTHON%" -c "%FIND%" numpy scipy pydantic textual soundfile mido >nul 2>nul
if not "%errorlevel%"=="0" exit /b 1
exit /b 0

:make_ready
if /i "%LOG%"=="nul" goto not_writable
if not exist "%VENV%" goto make_venv
"%VENV_PYTHON%" -c "import pip" >nul 2>nul
if "%errorlevel%"=="0" goto install_packages
call :say The environment in .venv is not whole: making it again.

:make_venv
call :find_python
if not defined PYTHON exit /b 1
if exist "%VENV%" rmdir /s /q "%VENV%"
call :say Making a Python environment in .venv ...
pushd "%ROOT%"
call %PYTHON% -m venv .venv >>"%LOG%" 2>&1
set "VENV_RESULT=%errorlevel%"
popd
if "%VENV_RESULT%"=="0" goto install_packages
if exist "%VENV%" rmdir /s /q "%VENV%"
call :say The Python environment could not be made: the reason is in launcher.log.
exit /b 1

:install_packages
call :say Installing the packages; the first time this takes some minutes ...
rem Every package with its version and checksums: pip refuses what differs
call :pip --require-hashes -r "requirements\studio.lock"
if not "%errorlevel%"=="0" goto not_installed
call :pip --no-deps --no-index --no-build-isolation -e .
if "%errorlevel%"=="0" goto install_llama
:not_installed
if not exist "%STAMP%" goto no_packages
call :packages_present
if not "%errorlevel%"=="0" goto no_packages
call :say The packages could not be brought up to date (no network?); starting with those that are there.
exit /b 0

:no_packages
call :why_pip_failed
exit /b 1

:install_llama
call :say Looking for a ready-made llama.cpp ...
call :install_llama_wheel
if "%errorlevel%"=="0" goto install_fluidsynth
"%VENV_PYTHON%" -c "import xllamacpp" >>"%LOG%" 2>&1
if "%errorlevel%"=="0" goto install_fluidsynth
call :compile_llama
if "%errorlevel%"=="0" goto install_fluidsynth
call :say No llama.cpp runs here, and without it nothing can be composed: install the Visual C++ runtime from https://aka.ms/vs/17/release/vc_redist.x64.exe and run launcher.bat setup.

:install_fluidsynth
"%VENV_PYTHON%" -c "import fluidsynth" >>"%LOG%" 2>&1
if "%errorlevel%"=="0" goto made_ready
call :say Fetching FluidSynth ...
call :pip --no-deps --require-hashes -r "requirements\fluidsynth.lock"
"%VENV_PYTHON%" -c "import fluidsynth" >>"%LOG%" 2>&1
if "%errorlevel%"=="0" goto made_ready
call :say FluidSynth is missing, and without it songs stay silent: run choco install fluidsynth as administrator, or unpack its Windows zip to C:\tools\fluidsynth.

:made_ready
copy /y "%LOCK%" "%STAMP%" >nul
call :say Everything is ready.
exit /b 0

:not_writable
call :say The folder of Llm-Music-Gen cannot be written to: copy it to a place of your own and start there.
exit /b 1

:make_tests_ready
call :say Installing what the tests need ...
call :pip --require-hashes -r "requirements\test.lock"
if not "%errorlevel%"=="0" goto no_packages
call :install_llama_wheel
if "%errorlevel%"=="0" goto tests_ready
call :compile_llama
if "%errorlevel%"=="0" goto tests_ready
call :say The tests of llama-cpp-python will be skipped.
:tests_ready
copy /y "%TEST_LOCK%" "%TEST_STAMP%" >nul
exit /b 0

:install_llama_wheel
"%VENV_PYTHON%" -c "%FIND%" llama_cpp >nul 2>nul
if "%errorlevel%"=="0" exit /b 0
call :pip --only-binary :all: --timeout 10 --retries 1 --extra-index-url "%LLAMA_WHEELS%" "%LLAMA_CPP_PYTHON%"
if not "%errorlevel%"=="0" exit /b 1
call :try_llama
if "%errorlevel%"=="0" exit /b 0
>>"%LOG%" echo That wheel of llama-cpp-python does not run on this processor.
"%VENV_PYTHON%" -m pip uninstall -y llama-cpp-python >>"%LOG%" 2>&1
exit /b 1

:compile_llama
call :say No ready-made llama-cpp-python for this machine: compiling it, which takes some minutes and needs the C++ tools of Visual Studio ...
call :pip "%LLAMA_CPP_PYTHON%"
if not "%errorlevel%"=="0" exit /b 1
call :try_llama
exit /b %errorlevel%

:try_llama
rem Writes one token with the built-in composer: a package made for another processor stops here
pushd "%ROOT%"
"%VENV_PYTHON%" -c "%TRY_MODEL%" >>"%LOG%" 2>&1
set "TRIED=%errorlevel%"
popd
if not "%TRIED%"=="0" exit /b 1
exit /b 0

:pip
rem The arguments go to pip install; it runs in the folder of pyproject.toml
pushd "%ROOT%"
"%VENV_PYTHON%" -m pip install --prefer-binary %* >"%PIP_LOG%" 2>&1
set "PIP_RESULT=%errorlevel%"
popd
type "%PIP_LOG%" >>"%LOG%"
if not "%PIP_RESULT%"=="0" exit /b 1
exit /b 0

:why_pip_failed
findstr /i /c:"getaddrinfo failed" /c:"establish a new connection" /c:"ProxyError" /c:"ConnectTimeout" /c:"WinError 100" "%PIP_LOG%" >nul 2>nul
if "%errorlevel%"=="0" goto no_network
call :say The packages could not be installed: the reason is at the end of launcher.log.
exit /b 0
:no_network
call :say The packages could not be installed: there is no network, which only the first start needs. Connect and start again.
exit /b 0


rem --- finding Python ------------------------------------------------------------------------------------------------

:find_python
if defined LLM_MUSIC_GEN_PYTHON call :try_python "%LLM_MUSIC_GEN_PYTHON%"
call :try_python py -3.12
call :try_python py -3.11
call :try_python py -3.13
call :try_python py -3.10
call :try_python python
call :try_python python3
call :try_python "%LocalAppData%\Programs\Python\Python312\python.exe"
if defined PYTHON exit /b 0
where winget >nul 2>nul
if not "%errorlevel%"=="0" goto no_python
choice /c YN /m "Llm-Music-Gen needs Python 3.10 to 3.13. Let Windows install Python 3.12 now"
if not "%errorlevel%"=="1" goto no_python
winget install -e --id Python.Python.3.12 --scope user --accept-source-agreements --accept-package-agreements
call :try_python "%LocalAppData%\Programs\Python\Python312\python.exe"
if defined PYTHON exit /b 0
:no_python
call :say Python 3.10 to 3.13, 64 bit, is missing: install Python 3.12 from https://www.python.org/downloads/ and start again.
exit /b 1

:try_python
rem Runs it: the python of the Microsoft Store may be a stub that only opens the Store
if defined PYTHON exit /b 0
call %* -c "import sys, venv, ensurepip; sys.exit(not ((3, 10) <= sys.version_info[:2] <= (3, 13) and sys.maxsize > 2**32))" >nul 2>nul
if not "%errorlevel%"=="0" exit /b 0
set PYTHON=%*
exit /b 0

:trim
rem A log of more than a megabyte starts afresh
if not exist "%~1" exit /b 0
if %~z1 gtr 1000000 del "%~1"
exit /b 0

:begin_log
rem Fails where the folder cannot be written to
>>"%LOG%" echo ---- %DATE% %TIME% ----
exit /b %errorlevel%

:say
rem stdout belongs to the studio (--json)
>&2 echo Llm-Music-Gen: %*
>>"%LOG%" echo %*
exit /b 0
